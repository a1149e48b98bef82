/** Growth with the output of a job. */
import type { RpcClient } from "../../rpc/client/client.ts";
import { peakBytes, resetPeak } from "../process_facts.ts";
import { connectTo, registerBytes, runToEnd, type Stage, startTeleportd, type Teleportd } from "../stage.ts";
import { mb } from "../statistics.ts";
import type { Growth, GrowthRow } from "./growth.ts";
import { medianMs, residentMb, timeOf } from "./timing.ts";
import { addSparseJob } from "./sparse_log.ts";

const SIZES = [1e6, 1e7, 1e8, 1e9, 1e10, 1e11];
const QUICK_SIZES = [1e6, 1e7, 1e8];

/** The largest output that a real job writes. */
const MAX_WRITTEN = 1e9;
/** The largest output that is read from its first byte to its last, and the longest time for it in milliseconds. */
const MAX_READ = 1e10;
const MAX_READ_MS = 120_000;

const COLUMNS = [
  "start of the server, ms",
  "first byte, ms",
  "last 10 lines, ms",
  "a time in the middle, ms",
  "read all, s",
  "memory while reading, MB more",
  "a job writes it, s",
  "memory while writing, MB more",
];

/** Returns the growth of the peak of the memory during an action, in megabytes. */
async function peakGrowth(teleportd: Teleportd, action: () => Promise<unknown>): Promise<number> {
  const pids = await teleportd.pids();
  const before = await residentMb(teleportd);
  for (const pid of pids) resetPeak(pid);
  await action();
  return pids.reduce((sum, pid) => sum + mb(peakBytes(pid)), 0) - before;
}

/** Reads the first message of a part of the output. */
async function first({ calls }: RpcClient, request: Parameters<RpcClient["calls"]["GetOutput"]>[0]): Promise<void> {
  for await (const { data } of calls.GetOutput(request)) if (data.length > 0) return;
}

async function measureSize(stage: Stage, size: number): Promise<GrowthRow> {
  const data = await Deno.makeTempDir({ dir: stage.dir, prefix: "output_" });
  const { id, bytes, middle } = addSparseJob(data, size);
  try {
    const startMs = performance.now();
    const options = ["--max-output-total", "1000GB"];
    await using teleportd = await startTeleportd(stage, { data, options });
    const ready = performance.now() - startMs;
    await using client = connectTo(stage, teleportd);
    await client.calls.Status({ id });
    const found = [
      await medianMs(10, () => first(client, { id })),
      await medianMs(10, () => readTail(client, id)),
      await medianMs(
        10,
        () => first(client, { id, since: { seconds: Math.floor(middle.getTime() / 1_000), nanos: 0 } }),
      ),
    ];
    let readSeconds: number | undefined;
    let readMemory: number | undefined;
    if (size <= MAX_READ) {
      readMemory = await peakGrowth(teleportd, async () => {
        readSeconds = await readWhole(client, id, bytes);
      });
    }
    let writeSeconds: number | undefined;
    let writeMemory: number | undefined;
    if (size <= MAX_WRITTEN) {
      const written = await registerBytes(client, size);
      writeMemory = await peakGrowth(teleportd, async () => {
        writeSeconds = await timeOf(() => runToEnd(client, written)) / 1_000;
      });
    }
    return { size, values: [ready, ...found, readSeconds, readMemory, writeSeconds, writeMemory] };
  } finally {
    await Deno.remove(data, { recursive: true });
  }
}

/** Returns the seconds that it takes. Undefined when a busy machine takes too long. */
async function readWhole({ calls }: RpcClient, id: string, bytes: number): Promise<number | undefined> {
  const start = performance.now();
  let read = 0;
  for await (const { data } of calls.GetOutput({ id })) {
    read += data.length;
    if (performance.now() - start > MAX_READ_MS) return undefined;
  }
  if (read !== bytes) throw new Error(`Expected ${bytes} bytes, got ${read}`);
  return (performance.now() - start) / 1_000;
}

async function readTail({ calls }: RpcClient, id: string): Promise<void> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const { data } of calls.GetOutput({ id, tail_lines: 10 })) text += decoder.decode(data);
  if (text.trim().split("\n").length !== 10) throw new Error(`The last 10 lines were: ${text}`);
}

/** Returns how a job ends that writes more than all jobs together may use. */
async function firstLimit(stage: Stage): Promise<string> {
  await using teleportd = await startTeleportd(stage, { options: ["--max-output-total", "10000000"] });
  await using client = connectTo(stage, teleportd);
  const id = await registerBytes(client, 100_000_000);
  await runToEnd(client, id);
  const { state, reason, error, stdout_bytes, dropped_bytes } = await client.calls.Status({ id });
  return `\`--max-output-total\`, by default half of the free disk. With 10 MB, a job that writes 100 MB ends as ` +
    `${state}, ${reason}: "${error}"; ${mb(stdout_bytes - dropped_bytes).toFixed(0)} MB are kept`;
}

/** Measures logs from a megabyte to 100 GB. */
export async function measureOutput(stage: Stage): Promise<Growth> {
  const rows: GrowthRow[] = [];
  const limits = [await firstLimit(stage)];
  for (const size of stage.quick ? QUICK_SIZES : SIZES) {
    try {
      rows.push(await measureSize(stage, size));
    } catch (error) {
      limits.push(`${size} bytes: ${error}`);
      break;
    }
  }
  return {
    title: "Output",
    size: "bytes of output",
    columns: COLUMNS,
    rows,
    limits,
    notes: [
      "The logs that are read are simulated. The code of the library makes their frames and checksums. All payloads are " +
      "zeros, which the file system does not store: 100 GB take 6 GB. Only the last frame has lines.",
      "So their digests are unknown, and reading costs no disk. The jobs that write are real, up to 1 GB.",
      "Reading all stops at 10 GB, or after 2 minutes: the rate does not depend on the size. Memory is the peak of server and job host, " +
      "more than before.",
    ],
  };
}
