// deno-lint-ignore-file no-console -- a program for people, which prints what it does
/**
 * `deno task demo:slurm`: shows in half a minute what teleport does on a Slurm cluster. The cluster is real: a controller
 * and two nodes on this machine. Each step is checked, and a failed step ends the demo with exit code 1.
 */
import { eventually } from "../support/deadline.ts";
import { clusterMissing, type SlurmCluster, slurmCluster } from "../support/slurm_cluster.ts";
import { gatewayArgs, nodeHosts, nothingOnNodes } from "../support/slurm_gateway.ts";
import { taskOptions } from "../support/task_options.ts";
import { killServerWhileCounting } from "./counting_job.ts";
import type { Follower } from "./follower.ts";
import { play } from "./play.ts";
import type { Stage } from "./stage.ts";
import { StepError } from "./step_error.ts";

/** The time limit in milliseconds. A machine with other work takes longer. */
const LIMIT_MS = 300_000;

const JOBS = 20;
/** The jobs whose commands start at the same time. Each command must connect within ten seconds. */
const AT_ONCE = 4;

/** A job that prints three lines. */
const SHORT = `for n in 1 2 3; do echo "line $n of 3"; sleep 0.2; done`;
const SHORT_LINES = ["line 1 of 3", "line 2 of 3", "line 3 of 3"];

/** A job whose second process has left its session. */
const ESCAPEE = "setsid sleep 1000 & echo up; sleep 1000";

function stepsOn(cluster: SlurmCluster): (stage: Stage) => Promise<void> {
  const nodeOf = async (stage: Stage, id: string) => {
    const node = (await stage.status(id)).placement?.node;
    stage.expect(node === "n1" || node === "n2", `Job ${id} is on a node, not on "${node}"`);
    return node as "n1" | "n2";
  };

  return async (stage) => {
    stage.step("A server that gives its jobs to Slurm");
    await stage.certs("init");
    await stage.startServer();

    stage.step(`${JOBS} jobs on two nodes, each followed by its own command`);
    const runs: Follower[] = [];
    while (runs.length < JOBS) {
      // Each node has room for two.
      const next = Array.from({ length: AT_ONCE }, (_, at) => `job${runs.length + at + 1}`)
        .map((name) => stage.run(name, "--cpus", "8", "sh", "-c", SHORT));
      for (const run of next) await run.seen(SHORT_LINES.slice(0, 1));
      runs.push(...next);
    }
    for (const run of runs) await run.ended(SHORT_LINES);
    const nodes = (await cluster.run("squeue", "-h", "--states=all", "-o", "%N")).trim().split("\n");
    const count = (node: string) => nodes.filter((one) => one === node).length;
    stage.expect(nodes.length === JOBS, `Slurm had ${JOBS} jobs, not ${nodes.length}`);
    stage.expect(count("n1") > 0 && count("n2") > 0, "Both nodes had jobs");
    stage.print(`n1 ran ${count("n1")} jobs, n2 ran ${count("n2")}. All lines of all jobs arrived.`);

    stage.step("The server is killed while a job counts on a node");
    const counter = await killServerWhileCounting(stage);

    stage.step("The daemon of the job's node is killed");
    const node = await nodeOf(stage, counter.id);
    await cluster.kill(node, "SIGKILL");
    const before = await stage.teleport("logs", "--tail", "1", counter.id);
    await counter.seen(Number(before) + 3);
    await stage.expectState(counter.id, "RUNNING");
    stage.print(`The slurmd of ${node} is dead. The job counts on, and the watcher sees it.`);
    await cluster.start(node);
    await cluster.ready();
    await counter.end();

    stage.step("The host of a job is killed");
    await eventually(() => nodeHosts(cluster).length === 0, "the end of the hosts before");
    const lost = await stage.teleport("run", "-d", "--", "sh", "-c", ESCAPEE);
    const watcher = stage.follow("admin", lost);
    await watcher.seen(["up"]);
    const leader = await stage.pidOf(lost);
    const [host] = nodeHosts(cluster);
    if (host === undefined) throw new StepError("The nodes have no host of a job");
    console.log(`   $ kill -9 ${host}`);
    Deno.kill(host, "SIGKILL");
    await stage.teleportExits(1, "wait", lost);
    const { state, error } = await stage.status(lost);
    stage.expect(state === "LOST", `The job is LOST, not ${state}`);
    stage.print(`LOST: ${error}`);
    await eventually(() => !isAlive(leader), "the end of the job's processes");
    stage.print("Nobody saw its end, so the job is LOST. None of its processes is left.");

    stage.step("The end");
    await stage.stopServer();
    await nothingOnNodes(cluster, stage.directory);
    stage.print("The nodes have no host and no output of a job any more.");
  };
}

function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}

/** Brings up the cluster, runs the demo on it, and returns the exit code. */
async function main(): Promise<number> {
  const reason = clusterMissing();
  if (reason !== undefined) {
    console.log(`Skipped: the demo ${reason}`);
    return 0;
  }
  console.log("A controller and two nodes of Slurm start on this machine …");
  await using cluster = await slurmCluster();
  console.log(await cluster.run("sinfo", "-N"));
  return await play({
    playSteps: stepsOn(cluster),
    limitMs: LIMIT_MS,
    guide: "docs/slurm.md",
    serverArgs: (dir) => gatewayArgs(cluster, dir),
  });
}

if (import.meta.main) {
  taskOptions(
    Deno.args,
    "Usage: deno task demo:slurm\n\nShows in half a minute what teleport does on Slurm, on this machine.",
    {
      options: {},
    },
  );
  Deno.exit(await main());
}
