/** Growth with the number of watchers of one quiet job. */
import type { RpcClient } from "../../rpc/client/client.ts";
import { cpuMs } from "../process_facts.ts";
import { connectTo, type Stage, startGated, startTeleportd, type Teleportd } from "../stage.ts";
import { median } from "../statistics.ts";
import type { Growth, GrowthRow } from "./growth.ts";
import { errorOf, residentMb, timeOf } from "./timing.ts";

const SIZES = [1, 10, 100, 1_000, 2_000, 5_000];
const QUICK_SIZES = [1, 10, 100];
const CONNECTIONS = 20;

const COLUMNS = ["memory, MB more", "attach, ms each", "last has a new line, ms", "server for a line, ms of processor"];

/** Watchers that count the lines they got. */
class Watchers {
  #waiting = 0;
  #all = Promise.withResolvers<void>();
  readonly #ended: Promise<unknown>[] = [];

  get count(): number {
    return this.#ended.length;
  }

  /** Resolves when this number of lines has arrived. */
  expect(lines: number): Promise<void> {
    this.#waiting = lines;
    this.#all = Promise.withResolvers<void>();
    return this.#all.promise;
  }

  /** Adds a watcher. Its first line is the first output of the job. */
  add({ calls }: RpcClient, id: string): void {
    this.#ended.push(
      (async () => {
        for await (const { data } of calls.GetOutput({ id, tail_lines: 1 })) {
          if (data.length > 0 && --this.#waiting === 0) this.#all.resolve();
        }
      })().catch((error) => this.#all.reject(error)),
    );
  }

  async end(): Promise<void> {
    await Promise.all(this.#ended);
  }
}

async function cpuOf(teleportd: Teleportd): Promise<number> {
  return (await teleportd.pids()).reduce((sum, pid) => sum + cpuMs(pid), 0);
}

/** Opens streams on a server with default limits, until one is refused. Returns their number and the error. */
async function firstLimit(stage: Stage): Promise<string> {
  await using teleportd = await startTeleportd(stage);
  await using stack = new AsyncDisposableStack();
  const clients = Array.from({ length: CONNECTIONS }, () => stack.use(connectTo(stage, teleportd)));
  const [client] = clients as [RpcClient];
  const { id, gate } = await startGated(stage, client, "echo ready; read word <&3");
  const watches: AsyncIterator<unknown>[] = [];
  const error = await errorOf(async () => {
    for (;;) {
      const watch = clients[watches.length % CONNECTIONS]!.calls.GetOutput({ id })[Symbol.asyncIterator]();
      await watch.next();
      watches.push(watch);
    }
  });
  gate.close();
  await Promise.all(watches.map(async (watch) => {
    while (!(await watch.next()).done);
  }));
  return `${watches.length} watchers of one user, \`--max-streams-per-user\`: the next one gets ${error}`;
}

/** Measures one server with more and more watchers. */
export async function measureWatchers(stage: Stage): Promise<Growth> {
  const lines = stage.quick ? 3 : 15;
  const limit = stage.quick ? "not searched in a quick run" : await firstLimit(stage);
  await using teleportd = await startTeleportd(stage, { options: ["--max-streams-per-user", "20000"] });
  await using stack = new AsyncDisposableStack();
  const clients = Array.from({ length: CONNECTIONS }, () => stack.use(connectTo(stage, teleportd)));
  const [client] = clients as [RpcClient];
  const { id, gate } = await startGated(stage, client, "echo ready; exec cat <&3");
  await Promise.all(clients.map(({ calls }) => calls.Status({ id })));
  const write = (text: string) => gate.write(new TextEncoder().encode(text));
  const watchers = new Watchers();
  const before = await residentMb(teleportd);
  const rows: GrowthRow[] = [];
  for (const size of stage.quick ? QUICK_SIZES : SIZES) {
    const added = size - watchers.count;
    const attached = watchers.expect(added);
    const attachMs = await timeOf(async () => {
      while (watchers.count < size) watchers.add(clients[watchers.count % CONNECTIONS]!, id);
      await attached;
    });
    const times: number[] = [];
    const cpuBefore = await cpuOf(teleportd);
    for (let line = 0; line < lines; line++) {
      const all = watchers.expect(size);
      times.push(
        await timeOf(async () => {
          await write(`line ${line}\n`);
          await all;
        }),
      );
    }
    const cpu = (await cpuOf(teleportd) - cpuBefore) / lines;
    const memory = await residentMb(teleportd) - before;
    rows.push({ size, values: [memory, attachMs / added, median(times), cpu] });
  }
  gate.close();
  await watchers.end();
  return {
    title: "Watchers",
    size: "watchers of a quiet job",
    columns: COLUMNS,
    rows,
    limits: [limit],
    notes: [
      `${CONNECTIONS} connections, \`--max-streams-per-user 20000\`. All watchers are in one process, whose own work is ` +
      "in the times. Processor time has a resolution of 10 ms over all lines.",
      "Memory is that of server and job host, more than with the connections alone.",
    ],
  };
}
