/** A server to torture, its users, and another client that must not suffer. */
import assert from "node:assert/strict";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import type { RpcClient, TlsCredentials } from "../../rpc/client/client.ts";
import { listOf, user } from "../support/identity_certificates.ts";
import { type Server, startServer } from "../support/programs.ts";
import { type Control, type Latency, mostP99Ms, startControl } from "../support/latency.ts";
import { clientWith, makePlace, replaceFile } from "../support/server_place.ts";
import { descriptorsOf, memoryMiB } from "../support/server_process.ts";
import { ca, credentials } from "../support/certificates.ts";

/** The users who torture. The certificate of the stranger has no role. */
export const USERS = ["admin", "viewer", "stranger", "revoked"] as const;

/** The server and its users. */
export interface Stage extends AsyncDisposable {
  readonly server: Server;
  readonly port: number;
  readonly users: Readonly<Record<typeof USERS[number], TlsCredentials>>;
  /** The job that runs all the time. Nobody may change it. */
  readonly jobId: string;
  /**
   * Does something to the server, and measures the server and the calls of another client meanwhile.
   *
   * @param settleMs how long memory may take to come back, in milliseconds; default 30,000
   */
  watch(action: () => Promise<string>, settleMs?: number): Promise<Outcome>;
}

/** The measurements of a torture. */
export interface Outcome {
  readonly done: string;
  readonly seconds: number;
  /** The times of another client's `Status` calls. */
  readonly status: Latency;
  readonly memoryMiB: readonly [before: number, most: number, after: number];
  readonly descriptors: readonly [before: number, after: number];
}

/** The bounds of the design. */
const MAX_STATUS_P99_MS = 250;
const MAX_MEMORY_GROWTH = 1.15;
/** How long memory may take to come back, in milliseconds. */
const SETTLE_MS = 30_000;
/** How long descriptors may take to come back after that, in milliseconds. A busy machine needs some of it. */
const CLOSE_MS = 60_000;

/** Starts a server with a running job. */
export async function makeStage(): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const place = stack.use(await makePlace());
  const control = stack.use(await startControl());
  const [admin, viewer, stranger, revoked] = await Promise.all([
    user("admin", "admin"),
    user("vera", "viewer"),
    user("steve", "nothing"),
    user("rob", "operator"),
  ]);
  await replaceFile(`${place.dir}/certs/ca.crl`, await listOf(revoked));
  const server = stack.use(await startServer({ dir: place.dir, initCerts: false }));
  const client = stack.use(clientWith(server, admin));
  const jobId = (await client.calls.Register({ command: "sleep", args: ["1000000"] })).id;
  for await (const { state } of client.calls.Start({ id: jobId })) if (state === "STATE_RUNNING") break;
  const owned = stack.move();
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
    watch: (action, settleMs = SETTLE_MS) => watch({ server, control, client, jobId }, action, settleMs),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface Watched {
  readonly server: Server;
  readonly control: Control;
  readonly client: RpcClient;
  readonly jobId: string;
}

async function watch(
  { server, control, client, jobId }: Watched,
  action: () => Promise<string>,
  settleMs: number,
): Promise<Outcome> {
  const jobBefore = untouched(await client.calls.Status({ id: jobId }));
  const jobsBefore = (await client.calls.List({})).jobs.length;
  const before = { memory: memoryMiB(server, "VmRSS"), descriptors: descriptorsOf(server) };
  const started = performance.now();
  await using latency = control.watch(client, jobId);
  const done = await action();
  const status = await latency.result();
  const seconds = (performance.now() - started) / 1_000;
  assert.deepEqual(untouched(await client.calls.Status({ id: jobId })), jobBefore, "The job was touched");
  assert.equal((await client.calls.List({})).jobs.length, jobsBefore, "There are more or fewer jobs");
  const end = performance.now() + settleMs;
  // The lowest count, because a file such as the next one of the audit log may be open for a moment.
  let descriptors = Infinity;
  const hasSettled = () => {
    descriptors = Math.min(descriptors, descriptorsOf(server));
    const isSmall = memoryMiB(server, "VmRSS") <= before.memory * MAX_MEMORY_GROWTH;
    return descriptors <= before.descriptors && (isSmall || performance.now() >= end);
  };
  while (!hasSettled() && performance.now() < end + CLOSE_MS) {
    // Calls let the server's garbage collector run, which an idle process may put off.
    await client.calls.Status({ id: jobId });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    done,
    seconds,
    status,
    memoryMiB: [before.memory, memoryMiB(server, "VmHWM"), memoryMiB(server, "VmRSS")],
    descriptors: [before.descriptors, descriptors],
  };
}

/** Gives a status without the fields that the job itself changes. */
function untouched({ usage: _, ...status }: JobStatus): Partial<JobStatus> {
  return status;
}

/** Names each bound that the server broke, a sentence each. */
export function complaints({ status, memoryMiB: [before, , after], descriptors }: Outcome): string[] {
  return [
    ...(status.p99Ms > mostP99Ms(MAX_STATUS_P99_MS, status)
      ? [`Status took ${status.p99Ms.toFixed()} ms at p99, ${status.controlP99Ms.toFixed()} ms without load`]
      : []),
    ...(after > before * MAX_MEMORY_GROWTH ? [`Memory grew from ${before.toFixed()} to ${after.toFixed()} MiB`] : []),
    ...(descriptors[1] > descriptors[0] ? [`Descriptors grew from ${descriptors[0]} to ${descriptors[1]}`] : []),
  ];
}
