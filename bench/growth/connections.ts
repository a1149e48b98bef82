/** Growth with the number of connections that are open. */
import type { RpcClient } from "../../rpc/client/client.ts";
import { errorMessage } from "../../base/error_message.ts";
import { cpuMs } from "../process_facts.ts";
import { connectTo, type Stage, startTeleportd } from "../stage.ts";
import { median } from "../statistics.ts";
import type { Growth, GrowthRow } from "./growth.ts";
import { medianMs, residentMb, timeOf } from "./timing.ts";

const SIZES = [1, 10, 100, 1_000];
const QUICK_SIZES = [1, 10, 30];

/** The longest wait for a connection, in milliseconds. A refused client tries again until then. */
const CONNECT_MS = 5_000;

const COLUMNS = ["memory, MB more", "connect, ms", "server to connect, ms of processor", "call on an open one, ms"];

/** Opens connections up to a number. Returns the milliseconds of each. */
async function connectUntil(clients: RpcClient[], size: number, make: () => RpcClient): Promise<number[]> {
  const times: number[] = [];
  while (clients.length < size) {
    const client = make();
    clients.push(client);
    times.push(await timeOf(() => client.calls.List({ page_size: 1 }, { deadlineMs: CONNECT_MS })));
  }
  return times;
}

/** Measures one server with more and more connections, up to the first that it refuses. */
export async function measureConnections(stage: Stage): Promise<Growth> {
  await using teleportd = await startTeleportd(stage);
  await using stack = new AsyncDisposableStack();
  const make = () => stack.use(connectTo(stage, teleportd));
  // The first connection loads code, and is not counted.
  await make().calls.List({ page_size: 1 });
  const before = await residentMb(teleportd);
  const clients: RpcClient[] = [];
  const rows: GrowthRow[] = [];
  for (const size of stage.quick ? QUICK_SIZES : SIZES) {
    const cpuBefore = cpuMs(teleportd.pid);
    const times = await connectUntil(clients, size, make);
    const cpu = (cpuMs(teleportd.pid) - cpuBefore) / times.length;
    const [client] = clients as [RpcClient];
    const call = await medianMs(20, () => client.calls.List({ page_size: 1 }));
    rows.push({ size, values: [await residentMb(teleportd) - before, median(times), cpu, call] });
  }
  let limit = "not searched in a quick run";
  if (!stage.quick) {
    try {
      await connectUntil(clients, Infinity, make);
    } catch (error) {
      limit = `${clients.length} connections of one user, \`--max-connections-per-user\`: the next one gets ` +
        `"${errorMessage(error)}"`;
    }
  }
  return {
    title: "Connections",
    size: "open connections",
    columns: COLUMNS,
    rows,
    limits: [limit],
    notes: [
      "All connections are of one user, from one process on the same machine over loopback. They are made one after " +
      "another, so the time to connect has the work of both sides. Each has made one call.",
      "Memory is that of server and job host, more than with one connection.",
    ],
  };
}
