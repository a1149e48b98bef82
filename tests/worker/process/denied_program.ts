/**
 * A supervisor of an ordinary user whose job becomes root's: `denied_program.ts HELPER`, where HELPER is a set-user-id copy
 * of setpriv(1). Writes what each call made of it as JSON.
 */
import { type JobStatus, Supervisor, TeleportError } from "../../../mod.ts";

const [helper = ""] = Deno.args;
const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
const errors: string[] = [];
const supervisor = new Supervisor({
  directory,
  onError: (error) => errors.push(error instanceof Error ? error.message : String(error)),
});

/** Starts a script and waits for its first output. */
async function start(script: string): Promise<string> {
  const id = await supervisor.add("sh", ["-c", script, "sh", helper]);
  supervisor.start(id).catch(() => {});
  for await (const _ of supervisor.watchOutput(id)) break;
  return id;
}

async function attempt(call: Promise<JobStatus>): Promise<unknown> {
  try {
    return { state: (await call).state };
  } catch (error) {
    return error instanceof TeleportError ? { code: error.code, message: error.message } : { defect: String(error) };
  }
}

async function finalOf(id: string): Promise<JobStatus | undefined> {
  let last: JobStatus | undefined;
  for await (const status of supervisor.watchStatus(id)) last = status;
  return last;
}

/** Becomes root for good: the real user id is what decides who may signal. It ends by itself. */
const ROOT = `"$1" --reuid=0 --clear-groups sh -c 'echo $$; exec sleep 8'`;

// The whole job is root's.
const whole = await start(`exec ${ROOT}`);
const { pid } = await supervisor.status(whole) as { pid: number };
const wholeResults = {
  signal: await attempt(supervisor.signal(whole, "HUP", { by: "ann" })),
  realTime: await attempt(supervisor.signal(whole, "RTMIN+1", { by: "ann" })),
  pause: await attempt(supervisor.pause(whole)),
  paused: (await supervisor.status(whole)).paused ?? false,
  stop: await attempt(supervisor.stop(whole, { graceMs: 0 })),
  again: await attempt(supervisor.stop(whole, { graceMs: 0 })),
  state: (await supervisor.status(whole)).state,
};
const wholeFinal = await finalOf(whole);

// A part of it is, in a group of its own job: the rest gets the signal.
const part = await start(`trap 'echo hup' HUP; ${ROOT} & while :; do sleep 0.01; done`);
const partResults = {
  signal: await attempt(supervisor.signal(part, "HUP", { by: "ann" })),
  pause: await attempt(supervisor.pause(part)),
  paused: (await supervisor.status(part)).paused ?? false,
  stop: await attempt(supervisor.stop(part, { graceMs: 0 })),
};
const partFinal = await supervisor.status(part);
await supervisor.close();
await Deno.remove(directory, { recursive: true });
const endOf = (status: JobStatus | undefined) => ({
  state: status?.state,
  signals: status?.requestedBy?.signals?.length ?? 0,
  exitReport: status !== undefined && "exitReport" in status ? status.exitReport : undefined,
});
console.log(JSON.stringify({
  pid,
  whole: { ...wholeResults, end: endOf(wholeFinal) },
  part: { ...partResults, end: endOf(partFinal) },
  errors,
}));
