/** A server to torture, its users, and an innocent client that must not suffer. */
import assert from "node:assert/strict";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import type { RpcClient, TlsCredentials } from "../../rpc/client/client.ts";
import { listOf, user } from "../support/identity_certificates.ts";
import { type Server, startServer } from "../support/programs.ts";
import { clientWith, makePlace, replaceFile } from "../support/server_place.ts";
import { descriptorsOf, memoryMiB } from "../support/server_process.ts";
import { ca, credentials } from "../support/certificates.ts";

/** The users who torture. The stranger's certificate has no role. */
export const USERS = ["admin", "viewer", "stranger", "revoked"] as const;

/** The server and its users. */
export interface Stage extends AsyncDisposable {
  readonly server: Server;
  readonly port: number;
  readonly users: Readonly<Record<typeof USERS[number], TlsCredentials>>;
  /** The job that runs all the time, which nobody may touch. */
  readonly jobId: string;
  /**
   * Does something to the server and says how it and others fared.
   *
   * @param settleMs how long memory and descriptors may take to come back, 30,000 unless given
   */
  watch(action: () => Promise<string>, settleMs?: number): Promise<Outcome>;
}

/** How the server fared. */
export interface Outcome {
  readonly done: string;
  readonly seconds: number;
  /** How long another client's `Status` took at most in 99 of 100 calls, in milliseconds. */
  readonly statusP99Ms: number;
  readonly statusMaxMs: number;
  readonly memoryMiB: readonly [before: number, most: number, after: number];
  readonly descriptors: readonly [before: number, after: number];
}

// Bounds of the design, and how long memory and descriptors may take to come back.
const MAX_STATUS_P99_MS = 250;
const MAX_MEMORY_GROWTH = 1.15;
const SETTLE_MS = 30_000;
const STATUS_INTERVAL_MS = 20;

/** Starts a server with a running job. */
export async function makeStage(): Promise<Stage> {
  const place = await makePlace();
  const [admin, viewer, stranger, revoked] = await Promise.all([
    user("admin", "admin"),
    user("vera", "viewer"),
    user("steve", "nothing"),
    user("rob", "operator"),
  ]);
  await replaceFile(`${place.dir}/certs/ca.crl`, await listOf(revoked));
  const server = await startServer({ dir: place.dir, initCerts: false });
  const client = clientWith(server, admin);
  const jobId = (await client.calls.Register({ command: "sleep", args: ["1000000"] })).id;
  for await (const { state } of client.calls.Start({ id: jobId })) if (state === "STATE_RUNNING") break;
  return {
    server,
    port: Number(server.address.slice(server.address.lastIndexOf(":") + 1)),
    users: {
      admin: credentials(ca, admin),
      viewer: credentials(ca, viewer),
      stranger: credentials(ca, stranger),
      revoked: credentials(ca, revoked),
    },
    jobId,
    watch: (action, settleMs = SETTLE_MS) => watch(server, client, jobId, action, settleMs),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

async function watch(
  server: Server,
  client: RpcClient,
  jobId: string,
  action: () => Promise<string>,
  settleMs: number,
): Promise<Outcome> {
  const jobBefore = untouched(await client.calls.Status({ id: jobId }));
  const jobsBefore = (await client.calls.List({})).jobs.length;
  const program = { ...server, [Symbol.asyncDispose]: () => Promise.resolve() };
  const before = { memory: memoryMiB(program, "VmRSS"), descriptors: descriptorsOf(program) };
  const started = performance.now();
  const over = new AbortController();
  const times: number[] = [];
  const witness = (async () => {
    while (!over.signal.aborted) {
      const asked = performance.now();
      await client.calls.Status({ id: jobId }, { deadlineMs: 30_000 });
      times.push(performance.now() - asked);
      await new Promise((resolve) => setTimeout(resolve, STATUS_INTERVAL_MS));
    }
  })();
  // Its failure is seen below, after the action.
  witness.catch(() => {});
  let done;
  try {
    done = await action();
  } finally {
    over.abort();
  }
  await witness;
  const seconds = (performance.now() - started) / 1_000;
  assert.deepEqual(untouched(await client.calls.Status({ id: jobId })), jobBefore, "The job was touched");
  assert.equal((await client.calls.List({})).jobs.length, jobsBefore, "There are more or fewer jobs");
  const deadline = performance.now() + settleMs;
  // The fewest, since a file may be open for a moment, such as the next of the audit record.
  let descriptors = Infinity;
  const settled = () => {
    descriptors = Math.min(descriptors, descriptorsOf(program));
    return memoryMiB(program, "VmRSS") <= before.memory * MAX_MEMORY_GROWTH && descriptors <= before.descriptors;
  };
  while (!settled() && performance.now() < deadline) {
    // Calls let the server's garbage collector run, which an idle process may put off.
    await client.calls.Status({ id: jobId });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  times.sort((a, b) => a - b);
  return {
    done,
    seconds,
    statusP99Ms: times[Math.floor(times.length * 0.99)] ?? 0,
    statusMaxMs: times.at(-1) ?? 0,
    memoryMiB: [before.memory, memoryMiB(program, "VmHWM"), memoryMiB(program, "VmRSS")],
    descriptors: [before.descriptors, descriptors],
  };
}

/** A status without what the job itself changes. */
function untouched({ usage: _, ...status }: JobStatus): Partial<JobStatus> {
  return status;
}

/** The ways in which the server or others suffered, a sentence each. */
export function complaints({ statusP99Ms, memoryMiB: [before, , after], descriptors }: Outcome): string[] {
  return [
    ...(statusP99Ms > MAX_STATUS_P99_MS ? [`Status took ${statusP99Ms.toFixed()} ms at p99`] : []),
    ...(after > before * MAX_MEMORY_GROWTH ? [`Memory grew from ${before.toFixed()} to ${after.toFixed()} MiB`] : []),
    ...(descriptors[1] > descriptors[0] ? [`Descriptors grew from ${descriptors[0]} to ${descriptors[1]}`] : []),
  ];
}
