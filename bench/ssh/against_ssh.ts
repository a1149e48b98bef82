/** Compares streaming with ssh, as a user of both sees it: finished output, live output and input. */
import { type Budget, type Finding, skipped } from "../finding.ts";
import type { Stage } from "../stage.ts";
import { list, mb, median } from "../statistics.ts";
import { boundOf } from "./bound.ts";
import { startSshd } from "./sshd.ts";
import { type Kind, type Load, openYard, type Transfer, type Yard } from "./transfers.ts";

const TITLES: Readonly<Record<Kind, string>> = {
  finished: "`teleport logs ID` against `ssh host cat file`",
  live: "`teleport run cat file` against `ssh host cat file`",
  input: "`teleport run -i` of a file against `ssh host 'cat >/dev/null' <file`",
};

/** The least share of ssh's speed with one client. */
const MIN_SPEED: Readonly<Record<Kind, number>> = { finished: 0.7, live: 0.5, input: 0.7 };

/** The most processor time for a gigabyte of 10^9 bytes, in seconds. */
const MAX_CLIENT_SECONDS = 2;
const MAX_SERVER_SECONDS = 3;

/** The numbers of clients at once, and the bytes that they move together. With many, half of the time is their start. */
const LOADS = [[1, 1_024_000_000], [4, 1_024_000_000], [16, 512_000_000]] as const;
const QUICK_LOADS = [[1, 128_000_000], [4, 128_000_000]] as const;

const ROUNDS = 7;
/** A busy machine gets fewer rounds, so that the whole benchmark ends in time. */
const MAX_MS = 80_000;
const MIN_ROUNDS = 3;

/** The transfers of all rounds. */
interface Rounds {
  readonly load: Load;
  readonly own: Transfer[];
  readonly ssh: Transfer[];
  /** The same without any bytes. */
  readonly empty: { readonly own: Transfer; readonly ssh: Transfer };
}

/** Measures one kind with each number of clients, teleport and ssh in turns. */
export async function measureAgainstSsh(stage: Stage, kind: Kind): Promise<Finding[]> {
  const sshd = await startSshd(stage);
  const loads = stage.quick ? QUICK_LOADS : LOADS;
  if (typeof sshd === "string") return loads.map(([clients]) => skipped(speedBudget(kind, clients), sshd));
  await using _sshd = sshd;
  await using yard = await openYard(stage, sshd);
  const findings: Finding[] = [];
  // The first transfer warms up.
  await measureRounds(yard, { kind, clients: 1, bytes: 128_000_000 }, 1);
  for (const [clients, bytes] of loads) {
    const all = await measureRounds(yard, { kind, clients, bytes: bytes / clients }, stage.quick ? 1 : ROUNDS);
    findings.push(speed(all), ...(clients === 1 ? [clientCost(all), serverCost(all)] : []));
  }
  return findings;
}

async function measureRounds(yard: Yard, load: Load, rounds: number): Promise<Rounds> {
  const none = { ...load, bytes: 0 };
  const empty = { own: await yard.withTeleport(none), ssh: await yard.withSsh(none) };
  const all: Rounds = { load, own: [], ssh: [], empty };
  const start = performance.now();
  while (all.own.length < rounds) {
    if (all.own.length >= MIN_ROUNDS && performance.now() - start > MAX_MS) break;
    all.own.push(await yard.withTeleport(load));
    all.ssh.push(await yard.withSsh(load));
  }
  return all;
}

function speedBudget(kind: Kind, clients: number): Budget {
  return {
    what: `${TITLES[kind]}, ${clients === 1 ? "1 client" : `${clients} clients at once`}: speed`,
    budget: clients === 1 ? `at least ${MIN_SPEED[kind]}` : "",
  };
}

const medianOf = (all: readonly Transfer[], of: (transfer: Transfer) => number) => median(all.map(of));
const gigabytes = ({ clients, bytes }: Load) => clients * bytes / 1e9;

function speed({ load, own, ssh, empty }: Rounds): Finding {
  const budget = speedBudget(load.kind, load.clients);
  const total = load.clients * load.bytes;
  const rates = (all: readonly Transfer[]) => all.map(({ client }) => mb(total) / client.seconds);
  const [ownRates, sshRates] = [rates(own), rates(ssh)];
  const ratio = median(ownRates.map((rate, round) => rate / (sshRates[round] ?? NaN)));
  const cost = (all: readonly Transfer[], of: (transfer: Transfer) => number) =>
    (medianOf(all, of) / gigabytes(load)).toFixed(2);
  const client = ({ client }: Transfer) => client.cpuSeconds;
  const server = ({ server }: Transfer) => server.cpuSeconds;
  const job = ({ server }: Transfer) => server.jobSeconds ?? 0;
  const peak = (all: readonly Transfer[], of: (transfer: Transfer) => number) => mb(medianOf(all, of)).toFixed(0);
  return {
    ...budget,
    measured: ratio.toFixed(2),
    ...(budget.budget === "" ? {} : { met: ratio >= MIN_SPEED[load.kind] }),
    notes: [
      `${median(ownRates).toFixed(0)} MB/s against ${median(sshRates).toFixed(0)} MB/s (medians), ` +
      `${mb(total).toFixed(0)} MB together, with the start of the clients`,
      `without any bytes ${startOf(empty.own)} against ${startOf(empty.ssh)}`,
      `${boundOf(own)}; profile: bench/profiles/${load.kind}.txt`,
      `processor seconds for a GB: client ${cost(own, client)} against ${cost(ssh, client)}; server and job host ` +
      `${cost(own, server)} and their jobs ${cost(own, job)}, against sshd with its programs ${cost(ssh, server)}`,
      `memory at most, in MB: clients ${peak(own, ({ client }) => client.peakBytes)} against ` +
      `${peak(ssh, ({ client }) => client.peakBytes)}; server and job host ` +
      `${peak(own, ({ server }) => server.peakBytes)} against sshd with its programs ` +
      `${peak(ssh, ({ server }) => server.peakBytes)}`,
      `rounds: ${list(ownRates)} against ${list(sshRates)}`,
    ],
  };
}

function startOf({ client }: Transfer): string {
  return `${client.seconds.toFixed(2)} s with ${client.cpuSeconds.toFixed(2)} s of processor time of the clients`;
}

function costFinding(
  what: string,
  most: number,
  { load, own, ssh }: Rounds,
  of: (transfer: Transfer) => number,
): Finding {
  const seconds = (all: readonly Transfer[]) => all.map((transfer) => of(transfer) / gigabytes(load));
  const found = median(seconds(own));
  return {
    what: `${TITLES[load.kind]}: processor time of the ${what} for a GB`,
    budget: `at most ${most.toFixed(1)} s`,
    measured: `${found.toFixed(2)} s`,
    met: found <= most,
    notes: [`ssh: ${median(seconds(ssh)).toFixed(2)} s; rounds: ${list(seconds(own), 2)}`],
  };
}

function clientCost(rounds: Rounds): Finding {
  return costFinding("client", MAX_CLIENT_SECONDS, rounds, ({ client }) => client.cpuSeconds);
}

function serverCost(rounds: Rounds): Finding {
  return costFinding("server and job host", MAX_SERVER_SECONDS, rounds, ({ server }) => server.cpuSeconds);
}
