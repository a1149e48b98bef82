/** A server with cgroups and without: its log, its jobs, and the processes that a crash leaves. */
import assert from "node:assert/strict";
import { whyNoCgroups } from "../support/cgroups.ts";
import type { JobWorkerClient } from "../../proto/service.ts";
import { killWithHosts, type Server, spawnServer, startServer, teleport } from "../support/programs.ts";
import { clientOf, finalOf, living, refusal, startUp } from "../support/server_process.ts";
import { skippedIf } from "../support/needs.ts";
import { tempDir } from "../support/temp_dir.ts";
import { deadline } from "../support/deadline.ts";

const real = (name: string) => skippedIf(whyNoCgroups, name);

/** Gives the cgroup of a job, as the job itself sees it. */
async function cgroupOf(server: Server, id: string): Promise<string> {
  await using calls = await clientOf(server);
  const { pid } = await calls.calls.Status({ id });
  return /^0::(.*)$/m.exec(await Deno.readTextFile(`/proc/${pid}/cgroup`))?.[1] ?? "";
}

/** Gives the log of a server that must not start. */
async function refused(...args: string[]): Promise<{ code: number; text: string }> {
  await using temporary = await tempDir();
  const dir = temporary.path;
  const { process } = spawnServer({ dir, args });
  const [text, { code }] = await Promise.all([new Response(process.stderr).text(), process.status]);
  return { code, text };
}

/** Gives the log of a server until it listens. */
async function said(...args: string[]): Promise<string> {
  await using temporary = await tempDir();
  const dir = temporary.path;
  const { process } = spawnServer({ dir, args });
  const log = process.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let read = await deadline(log.read(), "output"); !read.done; read = await deadline(log.read(), "output")) {
    text += read.value;
    if (/^listening on /m.test(text)) process.kill("SIGTERM");
  }
  await deadline(process.status, "the end of the process");
  return text;
}

Deno.test("teleportd logs at its start that jobs have no cgroups, and why", async () => {
  assert.match(
    await said("--cgroup", "off"),
    / info Jobs have no cgroups \(--cgroup off\): the server finds .* by process group, session, parent, inherited limit and environment$/m,
  );
});

Deno.test("teleportd does not start when it must make cgroups and cannot", async () => {
  const { code, text } = await refused("--cgroup", "/no/such/cgroup");
  assert.equal(code, 1);
  assert.match(text, / error Cannot make cgroups for jobs: "\/no\/such\/cgroup" is not a cgroup of version 2$/m);
});

Deno.test(real("teleportd logs the directory of the cgroups of jobs, and removes them at its end"), async () => {
  const [, directory = ""] = / info Jobs have cgroups in "([^"]+)", which can(?:not)? limit .*$/m.exec(await said()) ??
    [];
  assert.match(directory, /\/teleport-[0-9a-f]{16}-[0-9a-f]{16}$/);
  assert.throws(() => Deno.statSync(directory), Deno.errors.NotFound);
});

Deno.test("teleport pauses, resumes and measures jobs without cgroups, and the server refuses limits", async () => {
  await using server = await startServer({ args: ["--cgroup", "off"] });
  await control(server, "PROC");
  await using client = await clientOf(server);
  const { status, message } = await refusal(
    client.calls.Register({ command: "true", cgroup_limits: { memory_bytes: 2 ** 30 } }),
  );
  assert.equal(status, "FAILED_PRECONDITION");
  assert.equal(message, "Cannot limit memory on this server: it has no cgroups");
});

Deno.test(real("teleport pauses, resumes and measures jobs in cgroups"), async () => {
  await using server = await startServer();
  await control(server, "CGROUP");
});

/** Checks pause, resume, status and the end report through the command line. */
async function control(server: Server, source: string): Promise<void> {
  await using client = await clientOf(server);
  const id = await startUp(client.calls, "trap '' TERM; echo up; (setsid sleep 1000 &); while :; do :; done");
  assert.deepEqual(await teleport(server, "pause", id), { code: 0, stdout: "", stderr: "" });
  assert.match((await teleport(server, "status", id)).stdout, /^State: +RUNNING, pid \d+ \(paused by admin\)$/m);
  assert.deepEqual(await teleport(server, "resume", id), { code: 0, stdout: "", stderr: "" });
  const running = JSON.parse((await teleport(server, "--output", "json", "status", id)).stdout);
  assert.equal(running.paused, undefined);
  assert.equal(running.usage.cpu_source, source);
  assert.ok(running.usage.processes >= 2 && running.usage.memory_bytes > 0);
  await client.calls.Pause({ id });
  await teleport(server, "stop", "--grace", "100ms", id);
  const ended = JSON.parse((await teleport(server, "--output", "json", "status", id)).stdout);
  assert.deepEqual([ended.state, ended.signal, ended.reason, ended.stopped_by, ended.others_ended], [
    "KILLED",
    "SIGKILL",
    "STOPPED",
    "admin",
    1,
  ]);
  assert.ok(Date.parse(ended.kill_sent_at) > Date.parse(ended.term_sent_at));
  assert.deepEqual(living(id), []);
  const again = await teleport(server, "pause", id);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /is in state "KILLED", not running: only a running job can be paused/);
}

Deno.test("teleportd without cgroups ends a daemon that cleared its environment, also after a kill of server and job host", async () => {
  await using temporary = await tempDir();
  const dir = temporary.path;
  const args = ["--cgroup", "off"];
  // The shell in between exits, so that no process of the job is the daemon's parent.
  const script = "(setsid env -i sh -c 'echo $$; exec sleep 1000' &); exec sleep 1000";
  const pidOf = async (calls: JobWorkerClient, id: string) => {
    let output = "";
    for await (const { data } of calls.GetOutput({ id, follow: false })) output += new TextDecoder().decode(data);
    return Number(output);
  };
  let pid: number;
  {
    await using server = await startServer({ dir, args });
    await using client = await clientOf(server);
    const stopped = await startUp(client.calls, script);
    pid = await pidOf(client.calls, stopped);
    assert.ok(runs(pid));
    assert.equal((await client.calls.Stop({ id: stopped })).others_ended, 1);
    assert.ok(!runs(pid));
    pid = await pidOf(client.calls, await startUp(client.calls, script));
    await killWithHosts(server);
  }
  assert.ok(runs(pid));
  {
    await using _ = await startServer({ dir, args });
    assert.ok(!runs(pid));
  }
});

/** Tells whether a process lives. A zombie does not. */
function runs(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}

Deno.test(real("teleportd finds by its cgroup, after a kill, a process that left everything else"), async () => {
  await using temporary = await tempDir();
  const dir = temporary.path;
  let id: string;
  let pid: number;
  let cgroup: string;
  {
    await using server = await startServer({ dir });
    await using client = await clientOf(server);
    id = await startUp(client.calls, "(setsid env -i sh -c 'echo $$; exec sleep 1000' &); exec sleep 1000");
    let output = "";
    for await (const { data } of client.calls.GetOutput({ id, follow: false })) {
      output += new TextDecoder().decode(data);
    }
    pid = Number(output);
    cgroup = await cgroupOf(server, id);
    assert.ok(cgroup.endsWith(`/${id}`));
    await killWithHosts(server);
  }
  assert.match(await Deno.readTextFile(`/proc/${pid}/cgroup`), new RegExp(id));
  {
    await using server = await startServer({ dir });
    await using client = await clientOf(server);
    assert.equal((await client.calls.Status({ id })).state, "STATE_LOST");
    // The process has ended, or is a zombie, which is in none of our cgroups.
    const left = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => " Z ");
    assert.match(left, / Z /);
    const next = await client.calls.Register({ command: "true" });
    assert.equal((await finalOf(client.calls, next.id)).usage?.cpu_source, "USAGE_SOURCE_CGROUP");
  }
});
