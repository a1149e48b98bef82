/** Names what bounds a transfer: the thread or the cores that were busy almost all of the time. */
import { median } from "../statistics.ts";
import type { Transfer } from "./transfers.ts";

/** The share of the time from which on something is the bound. The rest is the start and the end of the client. */
const FULL = 0.85;

/** Returns a sentence, with the medians of all rounds. */
export function boundOf(all: readonly Transfer[]): string {
  const cores = navigator.hardwareConcurrency;
  const client = median(all.map(({ client }) => client.busy));
  const server = median(all.map(({ client, server }) => (server.busySeconds ?? 0) / client.seconds));
  const usedBy = ({ client, server }: Transfer) => client.cpuSeconds + server.cpuSeconds + (server.jobSeconds ?? 0);
  const used = median(all.map((one) => usedBy(one) / one.client.seconds / cores));
  // Such as the next program of a pipe, and the benchmark itself.
  const others = median(all.map((one) => (one.client.machineSeconds - usedBy(one)) / one.client.seconds / cores));
  const candidates = [
    { what: "the client's main thread", share: client },
    { what: "the main thread of the server or the job host", share: server },
    { what: `the ${cores} cores of the machine`, share: used },
  ];
  const [most] = candidates.toSorted((one, other) => other.share - one.share);
  const percent = (share: number) => `${(share * 100).toFixed(0)}%`;
  const shares = candidates.map(({ what, share }) => `${what} ${percent(share)}`).join(", ");
  let bound = "no single thread, so by waits for each other";
  if (most !== undefined && most.share >= FULL) bound = most.what;
  else if (used + others >= FULL) bound = "the cores, which other programs of the machine use too";
  return `bounded by ${bound}; busy: ${shares}, and ${percent(others)} of them for other programs`;
}
