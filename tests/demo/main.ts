/**
 * `deno task demo`: shows a new user in about five seconds what teleport does. The programs run as real processes, and
 * each step is checked. A failed step ends the demo with exit code 1.
 */
import { taskOptions } from "../support/task_options.ts";
import { killServerWhileCounting } from "./counting_job.ts";
import { play } from "./play.ts";
import type { Stage } from "./stage.ts";

/** The time limit in milliseconds. A first run downloads packages, so it may take longer than five seconds. */
const LIMIT_MS = 120_000;

/**
 * A job that prints two lines and waits. After a signal it prints two more lines and exits with 7. Its sleep ignores the
 * signal, which the whole group gets, because some shells report a child that a signal killed. So it prints the first line.
 */
const TALKER = `trap : USR1
(trap "" USR1; echo "first line, on stdout"; exec sleep 1000) &
echo "second line, on stderr" >&2
wait
echo "third line, on stdout"
echo "fourth line, on stderr" >&2
exit 7`;
const FIRST_LINES = ["first line, on stdout", "second line, on stderr"];
const ALL_LINES = [...FIRST_LINES, "third line, on stdout", "fourth line, on stderr"];

/** A job with children and grandchildren: a shell that starts a shell that starts two sleeps. */
const FAMILY = `sh -c 'sleep 1000 & sleep 1000 & echo all are up; wait' & wait`;

async function playSteps(stage: Stage): Promise<void> {
  stage.step("Certificates for the server and two users");
  await stage.certs("init");
  await stage.certs("client", "ann", "--role", "viewer");
  stage.print("The user admin may do everything, ann may only watch. Clients without a certificate are refused.");

  stage.step("A server, on a free port of this machine");
  await stage.startServer();

  stage.step("A job, and two users who watch it live");
  const id = await stage.teleport("register", "--label", "name=talker", "--", "sh", "-c", TALKER);
  stage.print(`The job has the id ${id}. It does not run yet.`);
  const early = stage.follow("admin", id);
  await stage.expectState(id, "INITIAL");
  const started = stage.teleportInBackground("start", id);
  await early.seen(FIRST_LINES);
  stage.print("The job waits, and its output is here already. Ann starts later and misses nothing:");
  const late = stage.follow("ann", id);
  await late.seen(FIRST_LINES);
  await stage.expectState(id, "RUNNING");
  stage.print("A signal wakes the job, and both users see the rest:");
  await stage.teleport("signal", id, "SIGUSR1");
  await early.ended(ALL_LINES);
  await late.ended(ALL_LINES);
  await started.ended(0);
  await stage.teleportExits(7, "wait", id);
  stage.print('"wait" exits as the job did: 7.');

  stage.step("The server is killed while a job counts");
  await (await killServerWhileCounting(stage)).end();

  stage.step("A stop ends a job and all its processes");
  const family = await stage.teleport("run", "-d", "--", "sh", "-c", FAMILY);
  const watcher = stage.follow("admin", family);
  await watcher.seen(["all are up"]);
  const before = await stage.processesOf(family);
  stage.expect(before.length === 4, `The job has 4 processes, not ${before.length}`);
  stage.print(`The job is 4 processes: ${before.join(", ")}.`);
  await stage.teleport("stop", family);
  const after = await stage.processesOf(family);
  stage.expect(after.length === 0, `No process of the job runs, but there are: ${after.join(", ")}`);
  await watcher.ended(["all are up"]);
  await stage.expectState(family, "KILLED");
  stage.print("No process of the job is left.");

  stage.step("A client without a certificate, and a user who may only watch");
  stage.expect(await stage.callIsAnswered("admin"), "The server answers a call made with admin's certificate");
  stage.expect(!await stage.callIsAnswered(undefined), "The server refuses a call made without a certificate");
  stage.print("A call with admin's certificate is answered. The same call without one is refused.");
  const refusal = await stage.teleportExits(1, "--identity", "ann", "run", "true");
  stage.expect(refusal.includes('"ann"') && refusal.includes("may not"), `Ann may not run jobs, but: ${refusal}`);

  stage.step("The end");
  await stage.stopServer();
  stage.print("The server stopped in order.");
}

if (import.meta.main) {
  taskOptions(Deno.args, "Usage: deno task demo\n\nShows in five seconds what teleport does, on this machine.", {
    options: {},
  });
  Deno.exit(await play({ playSteps, limitMs: LIMIT_MS, guide: "The README" }));
}
