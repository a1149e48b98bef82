/** Growth with the number of jobs that a server keeps. */
import { newJobId } from "../../worker/job/id.ts";
import type { JobSpec } from "../../worker/job/spec.ts";
import { encodeSpec } from "../../worker/store/json.ts";
import { Store } from "../../worker/store/store.ts";
import type { RpcClient } from "../../rpc/client/client.ts";
import { sleep } from "../../base/backoff.ts";
import { connectTo, runToEnd, type Stage, startTeleportd } from "../stage.ts";
import { mb } from "../statistics.ts";
import type { Growth, GrowthRow } from "./growth.ts";
import { errorOf, medianMs, residentMb } from "./timing.ts";

const SIZES = [1_000, 10_000, 100_000, 1_000_000];
const QUICK_SIZES = [1_000, 10_000];

/** One job of this number has the label that a list looks for. */
const LABELLED = 1_000;

/** The default of `--keep-jobs`. */
const DEFAULT_KEPT = 10_000;

const COLUMNS = [
  "add, µs each",
  "database, MB",
  "start, ms",
  "memory, MB",
  "status, ms",
  "by beginning of id, ms",
  "newest 100, ms",
  "100 by label, ms",
  "command of no job, ms",
  "run `true`, ms",
];

/** The time until a server at rest has collected its garbage, in milliseconds. */
const REST_MS = 12_000;

/** Adds jobs with the code of the library, each with the changes of a job that ran and ended. Returns the last id. */
function fill(data: string, from: number, to: number): string {
  using store = new Store(`${data}/jobs.db`);
  const output = {
    end: { position: 0, offsets: { stdout: 0, stderr: 0 } },
    totals: {
      stdoutBytes: 0,
      stderrBytes: 0,
      droppedBytes: 0,
      stdoutSha256: new Uint8Array(32),
      stderrSha256: new Uint8Array(32),
    },
  };
  let id = "";
  for (let number = from; number < to; number++) {
    const at = new Date();
    id = newJobId();
    const spec: JobSpec = {
      id,
      command: "backup",
      args: ["--shop", String(number)],
      registeredAt: at,
      owner: "admin",
      labels: { shop: String(number), ...(number % LABELLED === 0 ? { rare: "yes" } : {}) },
    };
    store.add(spec, encodeSpec(spec));
    store.change(id, { state: "STARTING", startedAt: at }, { by: "admin" });
    store.change(id, { state: "RUNNING", startedAt: at, pid: 4_000 });
    const ended = { startedAt: at, endedAt: at, pid: 4_000, reason: "EXITED", exitCode: 0 } as const;
    store.change(id, { state: "EXITED", ...ended }, { reason: "EXITED", output });
  }
  return id;
}

function databaseMb(data: string): number {
  return mb(
    [...Deno.readDirSync(data)].filter(({ name }) => name.startsWith("jobs.db"))
      .reduce((sum, { name }) => sum + Deno.statSync(`${data}/${name}`).size, 0),
  );
}

async function measureSize(stage: Stage, data: string, before: number, size: number): Promise<GrowthRow> {
  const fillStart = performance.now();
  const id = fill(data, before, size);
  const fillUs = (performance.now() - fillStart) / (size - before) * 1_000;
  const startMs = performance.now();
  await using teleportd = await startTeleportd(stage, { data, options: ["--keep-jobs", String(2 * size)] });
  const ready = performance.now() - startMs;
  await using client = connectTo(stage, teleportd);
  await client.calls.Status({ id });
  await sleep(stage.quick ? 0 : REST_MS);
  const memory = await residentMb(teleportd);
  const calls = stage.quick ? 3 : 20;
  const { Status, List } = client.calls;
  const found = [
    await medianMs(calls, () => Status({ id })),
    await medianMs(calls, () => List({ id_prefix: id.slice(0, 20) })),
    await medianMs(calls, () => List({})),
    await medianMs(calls, () => List({ labels: { rare: "yes" } })),
    await medianMs(3, () => List({ command: "of no job" })),
    await medianMs(calls, () => runTrue(client)),
  ];
  return { size, values: [fillUs, databaseMb(data), ready, memory, ...found] };
}

async function runTrue(client: RpcClient): Promise<void> {
  const { id } = await client.calls.Register({ command: "true" });
  await runToEnd(client, id);
}

/** Fills a server with jobs that never ran, and returns the error of one more. */
async function firstLimit(stage: Stage): Promise<string> {
  const data = await Deno.makeTempDir({ dir: stage.dir, prefix: "full_" });
  {
    using store = new Store(`${data}/jobs.db`);
    for (let number = 0; number < DEFAULT_KEPT; number++) {
      const spec = { id: newJobId(), command: "true", args: [], registeredAt: new Date(), owner: "admin" };
      store.add(spec, encodeSpec(spec));
    }
  }
  await using teleportd = await startTeleportd(stage, { data });
  await using client = connectTo(stage, teleportd);
  return await errorOf(() => client.calls.Register({ command: "true" }));
}

/** Measures a server with more and more jobs in its database. */
export async function measureJobs(stage: Stage): Promise<Growth> {
  const data = await Deno.makeTempDir({ dir: stage.dir, prefix: "jobs_" });
  const rows: GrowthRow[] = [];
  let stop: string | undefined;
  let before = 0;
  for (const size of stage.quick ? QUICK_SIZES : SIZES) {
    try {
      rows.push(await measureSize(stage, data, before, size));
    } catch (error) {
      stop = `${size} jobs: ${error}`;
      break;
    }
    before = size;
  }
  await Deno.remove(data, { recursive: true });
  return {
    title: "Jobs",
    size: "jobs kept",
    columns: COLUMNS,
    rows,
    limits: [
      `\`--keep-jobs\`, by default ${DEFAULT_KEPT}: the oldest ended jobs are removed. When no job has ended, Register ` +
      `answers ${await firstLimit(stage)}`,
      ...(stop === undefined ? [] : [stop]),
    ],
    notes: [
      "The jobs are made in the database by the store of the library, with the four changes of a job that ran. No " +
      "process ran, so they have no output and no audit entries. `--keep-jobs` is twice the number of jobs.",
      "Memory is that of server and job host after 12 s of rest. Times are medians, one call at a time.",
      `One job of ${LABELLED} has the label. The search for a command that no job has reads all jobs.`,
    ],
  };
}
