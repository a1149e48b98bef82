/** A server whose data directory is moved or deleted takes no new jobs, and says how to stop those that run. */
import assert from "node:assert/strict";
import { exists } from "../../worker/linux/signals.ts";
import { eventually } from "../support/deadline.ts";
import { endHosts, startServer, teleport, teleportd, teleportOk } from "../support/programs.ts";
import { clientOf, jobProcessesOf, living, livingAtLeast } from "../support/server_process.ts";
import { tempDir } from "../support/temp_dir.ts";

Deno.test("a server refuses new jobs while its data directory is away, and health reports NOT_SERVING", async () => {
  await using dir = await tempDir();
  const [data, away] = [`${dir.path}/data`, `${dir.path}/away`];
  const server = await startServer({ dir: dir.path, args: ["--cgroup=off"] });
  await using client = await clientOf(server);
  const waiting = await teleportOk(server, "register", "--", "true");
  await Deno.rename(data, away);
  for (const command of [["run", "--", "true"], ["start", waiting]]) {
    const { code, stderr } = await teleport(server, ...command);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /cannot write to its data directory: it was deleted or replaced: ask its operator/);
  }
  assert.equal(await client.health(), "NOT_SERVING");
  assert.match(
    await server.says(/was deleted or replaced/),
    /^error The data directory was deleted or replaced: no job /,
  );
  const { code, stderr } = await teleportd("host", "stop", "--data", data);
  assert.deepEqual([code, stderr], [1, `teleportd: Cannot stop job hosts: "${data}" is not a data directory\n`]);
  await Deno.rename(away, data);
  assert.equal((await teleport(server, "start", waiting)).code, 0);
  await server.says(/^info The data directory is back$/);
  assert.equal(await client.health(), "SERVING");
  assert.equal(await server.stop(), 0);
  assert.doesNotMatch(server.log(), /Internal error/);
  await endHosts(dir.path);
});

Deno.test("a server whose data directory is deleted says at its end how to stop the jobs, and that ends their host", async () => {
  await using dir = await tempDir();
  const server = await startServer({ dir: dir.path, stopJobs: false, args: ["--cgroup=off"] });
  const id = await teleportOk(server, "run", "-d", "--", "sleep", "1000");
  await livingAtLeast(id, 1);
  const [host = 0] = await jobProcessesOf(server);
  try {
    await Deno.remove(`${dir.path}/data`, { recursive: true });
    assert.equal((await teleport(server, "run", "--", "true")).code, 1);
    assert.equal(await server.stop(), 0);
    assert.match(
      server.log(),
      new RegExp(`1 job continues; their data directory is gone, so .* job host: kill ${host}$`, "m"),
    );
    assert.doesNotMatch(server.log(), /Internal error/);
    Deno.kill(host, "SIGTERM");
    await eventually(() => living(id).length === 0 && !exists(host), "the end of the job and its host");
  } finally {
    if (exists(host)) Deno.kill(host, "SIGKILL");
  }
});
