/** Tests of whole programs: jobs on the nodes of a real Slurm cluster. Slow: it brings up a cluster. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { JobWorkerClient } from "../../proto/service.ts";
import type { JobRequest, JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { deadline, eventually } from "../support/deadline.ts";
import { skippedIf } from "../support/needs.ts";
import { teleport } from "../support/programs.ts";
import { clientOf, finalOf, living, livingAtLeast, startUp } from "../support/server_process.ts";
import { clusterMissing, slurmCluster } from "../support/slurm_cluster.ts";
import { killGateway, nodeHosts, nothingOnNodes, startGateway, stopGateway } from "../support/slurm_gateway.ts";
import { tempDir } from "../support/temp_dir.ts";

/** The bytes of each stream of the exact test. */
const STREAM_BYTES = 150_000_000;

async function statusUntil(
  calls: JobWorkerClient,
  id: string,
  holds: (status: JobStatus) => boolean,
  what: string,
): Promise<JobStatus> {
  let status = await calls.Status({ id });
  await eventually(
    async () => holds(status = await calls.Status({ id })),
    () => `${what}, got ${JSON.stringify(status)}`,
  );
  return status;
}

Deno.test(skippedIf(clusterMissing(), "jobs run on the nodes of a real Slurm as on this machine"), async (t) => {
  await using cluster = await slurmCluster();
  await using place = await tempDir();
  const { path: dir } = place;
  let server = await startGateway(cluster, dir);
  await using _stop = { [Symbol.asyncDispose]: () => stopGateway(server) };
  let client = await clientOf(server);
  let calls = client.calls;
  const run = async (script: string, options: Partial<JobRequest> = {}) => {
    const { id } = await calls.Register({ command: "sh", args: ["-c", script], ...options });
    return await deadline(finalOf(calls, id), "the end of a job");
  };

  await t.step("the command line gives both outputs and the exit code", async () => {
    const { code, stdout, stderr } = await teleport(server, "run", "sh", "-c", "echo out; echo err >&2; exit 7");
    assert.deepEqual({ code, stdout, stderr }, { code: 7, stdout: "out\n", stderr: "err\n" });
  });

  await t.step("exit 143, SIGTERM, a time-out and a missing program are distinguished", async () => {
    const [exited, killed, overdue, missing] = await Promise.all([
      run("exit 143"),
      run("kill $$"),
      run("sleep 600", { timeout_ms: 500 }),
      calls.Register({ command: "/no/such/program" }).then(({ id }) => finalOf(calls, id)),
    ]);
    assert.deepEqual([exited.state, exited.exit_code], ["STATE_EXITED", 143]);
    assert.deepEqual([killed.state, killed.signal, killed.reason], ["STATE_KILLED", "SIGTERM", "REASON_SIGNALED"]);
    assert.deepEqual([overdue.state, overdue.reason], ["STATE_KILLED", "REASON_TIMED_OUT"]);
    assert.equal(missing.state, "STATE_FAILED");
    assert.match(missing.error, /not found/);
  });

  await t.step("a stop ends the whole tree, also what ignores SIGTERM and has left the session", async () => {
    const id = await startUp(
      calls,
      `trap "" TERM; setsid sleep 600 & setsid sh -c 'trap "" TERM; sleep 600' & echo up; sleep 600`,
    );
    await livingAtLeast(id, 5);
    const stopped = await calls.Stop({ id, grace_ms: 200 });
    assert.deepEqual([stopped.state, stopped.signal, stopped.reason], ["STATE_KILLED", "SIGKILL", "REASON_STOPPED"]);
    await eventually(() => living(id).length === 0, "the end of all processes");
  });

  await t.step(
    "a host that is killed is recovered: nothing runs on, its output is there, and the job is LOST",
    async () => {
      const id = await startUp(calls, "setsid sleep 600 & echo up; sleep 600");
      await livingAtLeast(id, 3);
      const [host] = nodeHosts(cluster);
      assert.ok(host);
      Deno.kill(host, "SIGKILL");
      const lost = await statusUntil(calls, id, ({ state }) => state === "STATE_LOST", "LOST");
      assert.match(lost.error, /job host died/);
      assert.equal(lost.stdout_bytes, 3);
      await eventually(() => living(id).length === 0, "the end of all processes");
    },
  );

  await t.step("the cluster's TERM is a graceful end", async () => {
    const id = await startUp(calls, "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done");
    const { placement } = await calls.Status({ id });
    await cluster.run("scancel", "--batch", "--signal=TERM", placement?.handle ?? "");
    const ended = await statusUntil(calls, id, ({ state }) => state === "STATE_EXITED", "the end");
    assert.deepEqual([ended.exit_code, ended.reason], [3, "REASON_SHUTDOWN"]);
    assert.equal(ended.stdout_bytes, 7);
  });

  await t.step("output is exact through a kill of the gateway, while the job runs on", async () => {
    const source = join(dir, "random");
    const hash = createHash("sha256");
    using file = await Deno.open(source, { create: true, write: true });
    for (let left = STREAM_BYTES; left > 0;) {
      const part = crypto.getRandomValues(new Uint8Array(Math.min(left, 65_536)));
      hash.update(part);
      let at = 0;
      while (at < part.length) at += await file.write(part.subarray(at));
      left -= part.length;
    }
    const digest = hash.digest("hex");
    const id = await startUp(
      calls,
      `echo up; for i in 0 1 2 3 4; do
        dd if=${source} bs=1000000 skip=$((i * 30)) count=30 status=none & dd if=${source} bs=1000000 skip=$((i * 30)) count=30 status=none >&2
        wait; sleep 0.5; done`,
    );
    await statusUntil(calls, id, ({ stdout_bytes }) => stdout_bytes > 20_000_000, "some output");
    await killGateway(server);
    client.close();
    server = await startGateway(cluster, dir);
    client = await clientOf(server);
    calls = client.calls;
    const hashes = { STREAM_STDOUT: createHash("sha256"), STREAM_STDERR: createHash("sha256") };
    const sizes = { STREAM_STDOUT: 0, STREAM_STDERR: 0 };
    let skip = 3;
    for await (const { data, stream } of calls.GetOutput({ id, follow: true })) {
      if (stream !== "STREAM_STDOUT" && stream !== "STREAM_STDERR") continue;
      sizes[stream] += data.length;
      const part = stream === "STREAM_STDOUT" ? data.subarray(Math.min(skip, data.length)) : data;
      if (stream === "STREAM_STDOUT") skip -= data.length - part.length;
      hashes[stream].update(part);
    }
    assert.deepEqual(sizes, { STREAM_STDOUT: STREAM_BYTES + 3, STREAM_STDERR: STREAM_BYTES });
    assert.equal(hashes.STREAM_STDOUT.digest("hex"), digest);
    assert.equal(hashes.STREAM_STDERR.digest("hex"), digest);
    assert.equal((await calls.Status({ id })).state, "STATE_EXITED");
  });

  await t.step("a job that waits says for what, and can be stopped", async () => {
    await cluster.run("scontrol", "update", "PartitionName=main", "State=DOWN");
    const { id } = await calls.Register({ command: "true" });
    const started = finalOf(calls, id);
    const { placement, state } = await statusUntil(
      calls,
      id,
      (status) => /PENDING/.test(status.placement?.waits_for ?? ""),
      "the reason",
    );
    assert.equal(state, "STATE_STARTING");
    assert.match(placement?.waits_for ?? "", /PartitionDown/);
    const stopped = await calls.Stop({ id });
    assert.deepEqual([stopped.state, stopped.reason], ["STATE_FAILED", "REASON_STOPPED"]);
    await started;
    await eventually(async () => !/\S/.test(await cluster.run("squeue", "-h", "-t", "PENDING")), "an empty queue");
    await cluster.run("scontrol", "update", "PartitionName=main", "State=UP");
  });

  await t.step("hosts leave nothing behind", () => nothingOnNodes(cluster, dir));
  client.close();
});
