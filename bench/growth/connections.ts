/** Growth with the number of connections that are open. */
import type { RpcClient } from "../../rpc/client/client.ts";
import { errorMessage } from "../../base/error_message.ts";
import { cpuMs } from "../process_facts.ts";
import { connectTo, type Stage, startGated, startTeleportd } from "../stage.ts";
import { median } from "../statistics.ts";
import type { Growth, GrowthRow } from "./growth.ts";
import { medianMs, residentMb, timeOf } from "./timing.ts";

const SIZES = [1, 10, 100, 1_000];
const QUICK_SIZES = [1, 10, 30];

/** More connections than a server admits by default. */
const MOST = 4_000;

const COLUMNS = ["memory, MB more", "connect, ms", "server to connect, ms of processor", "call on an open one, ms"];

/** Clients of one server. Each has a connection with an open watch of a job, because an idle one may be replaced. */
class Clients {
  readonly all: RpcClient[] = [];
  readonly #make: () => RpcClient;
  readonly #id: string;

  constructor(make: () => RpcClient, id: string) {
    this.#make = make;
    this.#id = id;
  }

  /** Opens connections up to a number. Returns the milliseconds of each. */
  async connectUntil(size: number): Promise<number[]> {
    const times: number[] = [];
    while (this.all.length < size) {
      const client = this.#make();
      const watch = client.calls.StatusStream({ id: this.#id })[Symbol.asyncIterator]();
      times.push(await timeOf(() => watch.next()));
      this.all.push(client);
    }
    return times;
  }
}

/** Measures one server with more and more connections, up to the first that it refuses. */
export async function measureConnections(stage: Stage): Promise<Growth> {
  await using teleportd = await startTeleportd(stage);
  await using stack = new AsyncDisposableStack();
  const make = () => stack.use(connectTo(stage, teleportd));
  // The first connection loads code, and is not counted. It is idle, so the server closes it at the limit.
  const { id, gate } = await startGated(stage, make(), "read word <&3");
  using _gate = gate;
  const before = await residentMb(teleportd);
  const clients = new Clients(make, id);
  const rows: GrowthRow[] = [];
  for (const size of stage.quick ? QUICK_SIZES : SIZES) {
    const cpuBefore = cpuMs(teleportd.pid);
    const times = await clients.connectUntil(size);
    const cpu = (cpuMs(teleportd.pid) - cpuBefore) / times.length;
    const [client] = clients.all as [RpcClient];
    const call = await medianMs(20, () => client.calls.List({ page_size: 1 }));
    rows.push({ size, values: [await residentMb(teleportd) - before, median(times), cpu, call] });
  }
  let limit = "not searched in a quick run";
  if (!stage.quick) {
    try {
      await clients.connectUntil(MOST);
      limit = `none up to ${MOST} connections of one user`;
    } catch (error) {
      limit = `${clients.all.length} connections of one user, \`--max-connections-per-user\`: the next one gets ` +
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
      "another, so the time to connect has the work of both sides. Each has an open watch of the status of a job. " +
      "The server would close an idle connection of a user for a new one of that user.",
      "Memory is that of server and job host, more than with one connection.",
    ],
  };
}
