/** A test with many jobs at once on a real Slurm cluster. Slow: each job starts a host on its node. */
import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { skippedIf } from "../support/needs.ts";
import { startServer } from "../support/programs.ts";
import { clientOf, finalOf } from "../support/server_process.ts";
import { clusterMissing, type SlurmCluster, slurmCluster } from "../support/slurm_cluster.ts";
import { gatewayArgs, nothingOnNodes, stopGateway } from "../support/slurm_gateway.ts";
import { tempDir } from "../support/temp_dir.ts";

/** More than run at once, and few enough for a test. `deno task bench --only slurm` has 500. */
const JOBS = 40;
/** The time that all of them may take, in milliseconds. */
const ALL_MS = 300_000;
/** The least time between two questions to the controller, in milliseconds. The clock of a script is not exact. */
const MIN_GAP_MS = 900;

/** Makes client commands of Slurm that note each call. Returns the PATH that has them, and the notes. */
async function notedCommands({ env }: SlurmCluster, dir: string) {
  const file = `${dir}/calls`;
  await Deno.mkdir(`${dir}/bin`);
  for (const name of ["sbatch", "squeue", "sinfo", "scontrol", "scancel"]) {
    const real = `$(PATH=${env.PATH} command -v ${name})`;
    const script = `#!/bin/sh\necho "${name} $(date +%s%3N)" >>'${file}'\nexec "${real}" "$@"\n`;
    await Deno.writeTextFile(`${dir}/bin/${name}`, script, { mode: 0o755 });
  }
  const timesOf = (name: string) =>
    Deno.readTextFileSync(file).split("\n").filter((line) => line.startsWith(`${name} `)).map((line) =>
      Number(line.split(" ")[1])
    );
  return { path: `${dir}/bin:${env.PATH}`, timesOf };
}

Deno.test(skippedIf(clusterMissing(), "many jobs at once run once each, and Slurm is asked seldom"), async () => {
  await using cluster = await slurmCluster();
  await using place = await tempDir();
  const { path: dir } = place;
  const commands = await notedCommands(cluster, dir);
  const server = await startServer({
    dir,
    stopJobs: false,
    args: await gatewayArgs(cluster, dir),
    starter: ["env", `PATH=${commands.path}`],
  });
  await using _stop = { [Symbol.asyncDispose]: () => stopGateway(server) };
  const client = await clientOf(server);
  const { calls } = client;
  const runs = `${dir}/runs`;
  const run = async () => {
    const { id } = await calls.Register({ command: "sh", args: ["-c", 'echo "$TELEPORT_ID" >>"$1"', "sh", runs] });
    const { state, exit_code, error } = await finalOf(calls, id);
    assert.deepEqual({ state, exit_code, error }, { state: "STATE_EXITED", exit_code: 0, error: "" });
    return id;
  };
  const ids = await deadline(Promise.all(Array.from({ length: JOBS }, run)), "the end of all jobs", ALL_MS);
  client.close();
  assert.deepEqual(Deno.readTextFileSync(runs).trim().split("\n").sort(), ids.sort());
  assert.equal(commands.timesOf("sbatch").length, JOBS);
  const asked = commands.timesOf("squeue");
  const gaps = asked.slice(1).map((time, index) => time - (asked[index] ?? 0));
  assert.ok(gaps.every((gap) => gap >= MIN_GAP_MS), `the times between questions: ${gaps.join(" ")}`);
  await nothingOnNodes(cluster, dir);
});
