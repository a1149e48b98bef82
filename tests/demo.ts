/**
 * `deno task demo`: shows a newcomer in about five seconds what teleport does. Everything is real: the programs run as
 * processes of their own, and each step is checked. A step that does not do what it says ends the demo with exit code 1.
 */
import { Stage } from "./demo_stage.ts";
import { StepError } from "./demo_step_error.ts";

/** Far more than the five seconds it takes: a first run downloads packages, but what hangs must be told. */
const LIMIT_MS = 120_000;

/**
 * Says two lines and waits; says two more when a signal comes, and exits with 7. The sleep ignores the signal, which goes
 * to the whole group, for some shells say so when a child dies of one.
 */
const TALKER = `trap : USR1
(trap "" USR1; exec sleep 1000) &
echo "first line, on stdout"
echo "second line, on stderr" >&2
wait
echo "third line, on stdout"
echo "fourth line, on stderr" >&2
exit 7`;
const FIRST_LINES = ["first line, on stdout", "second line, on stderr"];
const ALL_LINES = [...FIRST_LINES, "third line, on stdout", "fourth line, on stderr"];

/** A shell that starts a shell that starts two sleeps: children and grandchildren. */
const FAMILY = `sh -c 'sleep 1000 & sleep 1000 & echo all are up; wait' & wait`;

async function story(stage: Stage): Promise<void> {
  stage.step("Certificates: who may talk to whom");
  await stage.certs("init");
  await stage.certs("client", "ann", "--role", "viewer");
  stage.tell("The user admin may do everything, ann may only look. Nobody else gets in.");

  stage.step("A server, on a free port of this machine");
  await stage.startServer();

  stage.step("A job, and two who watch it live");
  const id = await stage.teleport("register", "--label", "name=talker", "--", "sh", "-c", TALKER);
  stage.tell(`The job has the id ${id}. It does not run yet.`);
  const early = stage.follow("admin", id);
  await stage.expectState(id, "INITIAL");
  const started = stage.teleportInBackground("start", id);
  await early.seen(FIRST_LINES);
  stage.tell("The job waits, and what it said is here already. Ann comes late and misses nothing:");
  const late = stage.follow("ann", id);
  await late.seen(FIRST_LINES);
  await stage.expectState(id, "RUNNING");
  stage.tell("A signal wakes the job, and both see the rest:");
  await stage.teleport("signal", id, "SIGUSR1");
  await early.ended(ALL_LINES);
  await late.ended(ALL_LINES);
  await started.ended(0);
  await stage.teleportExits(7, "wait", id);
  stage.tell('"wait" exits as the job did: 7.');

  stage.step("A job is stopped, and all it started with it");
  const family = await stage.teleport("run", "-d", "--", "sh", "-c", FAMILY);
  const watcher = stage.follow("admin", family);
  await watcher.seen(["all are up"]);
  const before = await stage.processesOf(family);
  stage.expect(before.length === 4, `The job has 4 processes, not ${before.length}`);
  stage.tell(`The job is 4 processes: ${before.join(", ")}.`);
  await stage.teleport("stop", family);
  const after = await stage.processesOf(family);
  stage.expect(after.length === 0, `None of the job's processes runs, but there are: ${after.join(", ")}`);
  await watcher.ended(["all are up"]);
  await stage.expectState(family, "KILLED");
  stage.tell("None of them runs any more.");

  stage.step("A stranger, and one who may only look");
  stage.expect(await stage.callIsAnswered("admin"), "The server answers a call made with admin's certificate");
  stage.expect(!await stage.callIsAnswered(undefined), "The server refuses a call made without a certificate");
  stage.tell("A call with admin's certificate is answered. The same call without one is refused.");
  const refusal = await stage.teleportExits(1, "--identity", "ann", "run", "true");
  stage.expect(refusal.includes('"ann"') && refusal.includes("may not"), `Ann may not run jobs, but: ${refusal}`);

  stage.step("The end");
  await stage.stopServer();
  stage.tell("The server ended in good order.");
}

/** Plays the story; returns the exit code. */
async function main(): Promise<number> {
  if (Deno.build.os !== "linux") {
    console.error("The demo needs Linux: teleportd runs Linux processes");
    return 1;
  }
  const startedAtMs = performance.now();
  const { promise: interrupted, reject: interrupt } = Promise.withResolvers<never>();
  interrupted.catch(() => {});
  const onSignal = () => interrupt(new StepError("The demo was interrupted"));
  const timer = setTimeout(() => interrupt(new StepError(`This took longer than ${LIMIT_MS / 1000} s`)), LIMIT_MS);
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, onSignal);
  const stage = await Stage.set();
  let code = 0;
  try {
    await Promise.race([story(stage), interrupted]);
  } catch (error) {
    code = 1;
    console.error(`\nFAILED at step ${stage.current}`);
    console.error(error instanceof StepError ? error.message : error);
  }
  try {
    await stage.clear();
  } catch (error) {
    code = 1;
    console.error("\nFAILED to clean up:", error instanceof StepError ? error.message : error);
  }
  clearTimeout(timer);
  if (code === 0) {
    stage.tell("The temporary folder with certificates and output is gone.");
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
    console.log(`\nAll of it was real, and took ${seconds} s. The README tells how to do it yourself.`);
  }
  return code;
}

if (import.meta.main) Deno.exit(await main());
