/** Ends of a server that nobody planned: running jobs never notice one, and the next server has every byte. */
import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { checkProcesses, checkPrograms } from "./checks.ts";
import { OneJob } from "./one_job.ts";
import { Place } from "./place.ts";

/** How a server ends. */
interface Crash {
  readonly what: string;
  readonly signal: Deno.Signal;
  /** The exit code, or the signal that ends the process. Absent: any. */
  readonly wanted?: number | Deno.Signal;
  readonly starter?: readonly string[];
  readonly redirection?: string;
  /** True when the whole process group gets the signal, as from a terminal. */
  readonly isForGroup?: boolean;
}

const CRASHES: readonly Crash[] = [
  { what: "an uncaught exception", signal: "SIGUSR2", wanted: 70 },
  { what: "an uncaught exception without standard error", signal: "SIGUSR2", wanted: 70, redirection: "2>/dev/full" },
  {
    what: "a full heap",
    signal: "SIGUSR1",
    wanted: "SIGTRAP",
    starter: ["env", "DENO_V8_FLAGS=--max-old-space-size=100"],
  },
  { what: "SIGSEGV", signal: "SIGSEGV", wanted: "SIGSEGV" },
  { what: "SIGBUS", signal: "SIGBUS", wanted: "SIGBUS" },
  { what: "SIGABRT", signal: "SIGABRT", wanted: "SIGABRT" },
  { what: "SIGQUIT", signal: "SIGQUIT" },
  { what: "SIGINT", signal: "SIGINT", wanted: 0 },
  { what: "SIGKILL to its process group", signal: "SIGKILL", wanted: "SIGKILL", starter: ["setsid"], isForGroup: true },
];

/** Ends a server by a signal. */
async function end(process: Deno.ChildProcess, { signal, isForGroup }: Crash): Promise<Deno.CommandStatus> {
  Deno.kill(isForGroup ? -process.pid : process.pid, signal);
  // The handlers of the runtime ignore the first of these from another process. A second SIGINT would be a new request.
  const isIgnored = signal === "SIGSEGV" || signal === "SIGBUS";
  const again = isIgnored ? setInterval(() => killIfThere(process, signal), 1_000) : undefined;
  try {
    return await deadline(process.status, "the end of the server");
  } finally {
    clearInterval(again);
  }
}

/** Signals a process that may have ended at this moment. */
function killIfThere(process: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    process.kill(signal);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

for (const crash of CRASHES) {
  const { what, wanted, starter, redirection } = crash;
  Deno.test(`running jobs do not notice the end of their server by ${what}`, async () => {
    await using place = await Place.make({ program: "tests/kills/failing_server.ts" });
    const job = await OneJob.start(place);
    await place.kill();
    const process = await place.spawn({ ...starter && { starter }, ...redirection && { redirection } });
    await job.counts();
    const { code, signal: by } = await end(process, crash);
    if (wanted !== undefined) assert.equal(typeof wanted === "number" ? code : by, wanted);
    else assert.notEqual(code, 0);
    await job.counts();
    await place.start();
    await job.runs();
    await checkProcesses(place);
    await checkPrograms(place, 1);
    await job.finish();
  });
}

Deno.test("jobs outlive a server that has no standard error, and whose job host was started by it", async () => {
  await using place = await Place.make();
  assert.equal(await place.stop(), 0);
  const process = await place.spawn({ redirection: "2>&-" });
  const job = await OneJob.start(place);
  process.kill("SIGKILL");
  await deadline(process.status, "the end of the server");
  await job.counts();
  await place.start();
  await job.runs();
  await job.finish();
});
