/** The command line with a real server: exit codes, descriptors, bytes, signals and refusals. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readRest, readUntil, spawnTeleport, startServer, teleport, teleportOk } from "../support/programs.ts";
import { deadline } from "../support/deadline.ts";

const MIB = 1024 * 1024;

async function digest(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}

Deno.test("teleport run exits as the job does, and writes each stream to its own descriptor", async () => {
  await using server = await startServer();
  const cases: [string[], number, string, RegExp][] = [
    [["true"], 0, "", /^$/],
    [["sh", "-c", "printf out; printf err >&2; exit 7"], 7, "out", /^err$/],
    [["sh", "-c", "kill -TERM $$"], 143, "", /^$/],
    [["sh", "-c", "kill -KILL $$"], 137, "", /^$/],
    [["--timeout", "100ms", "sleep", "1000"], 124, "", /^teleport: Job ".*" was ended: timed out\n$/],
    [
      ["/etc/passwd"],
      126,
      "",
      /^teleport: Cannot execute command "\/etc\/passwd": Permission denied: it is not executable: set its execute bit$/m,
    ],
    [["no-such-program"], 127, "", /^teleport: Command "no-such-program" not found/],
    [
      ["--cwd", "/no/such/directory", "true"],
      126,
      "",
      /^teleport: Working directory "\/no\/such\/directory" not found/,
    ],
    [["--cwd", "relative", "true"], 1, "", /^teleport: 'cwd' must be an absolute path, got /],
    [[""], 1, "", /^teleport: 'command' must not be empty/],
    [
      ["--cwd", "/usr", "--env", "A=x  y", "--", "sh", "-c", 'pwd; printf %s "$A$1"', "--", "-d ä"],
      0,
      "/usr\nx  y-d ä",
      /^$/,
    ],
  ];
  for (const [args, code, stdout, stderr] of cases) {
    const ended = await teleport(server, "run", ...args);
    assert.equal(ended.code, code, `${args.join(" ")}: ${ended.stderr}`);
    assert.equal(ended.stdout, stdout);
    assert.match(ended.stderr, stderr);
  }
});

Deno.test("teleport run and logs print the same 64 MiB of random bytes on both descriptors", async () => {
  await using server = await startServer();
  const [out, err] = [`${server.dir}/out`, `${server.dir}/err`];
  const script = 'head -c "$0" /dev/urandom | tee "$1" & head -c "$0" /dev/urandom | tee "$2" >&2; wait';
  const run = spawnTeleport(server, "run", "sh", "-c", script, `${64 * MIB}`, out, err);
  const received = await Promise.all([digest(run.stdout), digest(run.stderr)]);
  assert.equal((await deadline(run.status, "the end of the process")).code, 0);
  const written = await Promise.all([digest(createReadStream(out)), digest(createReadStream(err))]);
  assert.deepEqual(received, written);
  assert.notEqual(written[0], written[1]);

  const id = await teleportOk(server, "list", "-q");
  const logs = spawnTeleport(server, "logs", id);
  assert.deepEqual(await Promise.all([digest(logs.stdout), digest(logs.stderr)]), written);
  assert.equal((await deadline(logs.status, "the end of the process")).code, 0);
});

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test(`teleport run forwards ${signal} to the job and exits as the job does`, async () => {
    await using server = await startServer();
    const run = spawnTeleport(server, "run", "sh", "-c", "echo ready; exec sleep 1000");
    const stdout = run.stdout.getReader();
    await readUntil(stdout, "ready");
    run.kill(signal);
    const [status, stderr] = await Promise.all([run.status, new Response(run.stderr).text(), readRest(stdout)]);
    assert.equal(status.code, code);
    assert.equal(stderr, "");
    const job = JSON.parse(await teleportOk(server, "list", "--output", "json"));
    assert.deepEqual([job.state, job.signal, job.reason], ["KILLED", signal, "SIGNALED"]);
  });
}

Deno.test("teleport run lets the job handle Ctrl-C, and leaves after the third", async () => {
  await using server = await startServer();
  const script = `trap 'echo caught' INT; echo ready; while :; do sleep 1000 & wait $!; done`;
  const run = spawnTeleport(server, "run", "sh", "-c", script);
  const stdout = run.stdout.getReader();
  await readUntil(stdout, "ready");
  for (let count = 0; count < 2; count++) {
    run.kill("SIGINT");
    await readUntil(stdout, "caught");
    // This is as fast as a person presses; earlier signals count as the same key press.
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  run.kill("SIGINT");
  const [status, stderr] = await Promise.all([run.status, new Response(run.stderr).text(), readRest(stdout)]);
  assert.equal(status.code, 130);
  const id = await teleportOk(server, "list", "-q");
  assert.match(stderr, new RegExp(`Job "${id}" may still run: .* "teleport stop ${id}" stops it`));
  assert.equal(JSON.parse(await teleportOk(server, "--output", "json", "status", id)).state, "RUNNING");
  assert.match(await teleportOk(server, "stop", "--grace", "0s", id), /^\S+ (KILLED|EXITED)/);
});

Deno.test("teleport run and its job end when the reader of a pipeline ends", async () => {
  await using server = await startServer();
  const run = spawnTeleport(server, "run", "yes");
  const stdout = run.stdout.getReader();
  await readUntil(stdout, "y\n");
  await stdout.cancel();
  const [status, stderr] = await Promise.all([run.status, new Response(run.stderr).text()]);
  assert.equal(status.code, 141);
  assert.equal(stderr, "");
  const id = await teleportOk(server, "list", "-q");
  assert.equal((await teleport(server, "wait", id)).code, 141);
});

Deno.test("teleport logs ends without an error when the reader of a pipeline ends", async () => {
  await using server = await startServer();
  assert.equal((await teleport(server, "run", "head", "-c", `${MIB}`, "/dev/zero")).code, 0);
  const id = await teleportOk(server, "list", "-q");
  const logs = spawnTeleport(server, "logs", id);
  const stdout = logs.stdout.getReader();
  await readUntil(stdout, "\0");
  await stdout.cancel();
  assert.equal(await new Response(logs.stderr).text(), "");
  assert.equal((await deadline(logs.status, "the end of the process")).code, 141);
});

Deno.test("two followers read a job of teleport run -d until teleport stop ends it with its children", async () => {
  await using server = await startServer();
  const id = await teleportOk(server, "run", "-d", "sh", "-c", "echo begin; sleep 1000 & sleep 1000 & wait");
  const followers = [1, 2].map(() => {
    const child = spawnTeleport(server, "logs", "-f", id);
    return { child, stdout: child.stdout.getReader() };
  });
  const watch = spawnTeleport(server, "watch", id);
  const watched = watch.stdout.getReader();
  for (const { stdout } of followers) assert.equal(await readUntil(stdout, "begin\n"), "begin\n");
  await readUntil(watched, "RUNNING");
  assert.equal(await teleportOk(server, "logs", id), "begin");
  assert.equal(await teleportOk(server, "stop", id), `${id} KILLED SIGTERM (stopped by admin)`);
  for (const { child, stdout } of followers) {
    assert.equal(await readRest(stdout), "");
    assert.equal(await new Response(child.stderr).text(), "");
    assert.equal((await deadline(child.status, "the end of the process")).code, 0);
  }
  assert.match(await readRest(watched), /KILLED SIGTERM \(stopped by admin\)\n$/);
  assert.equal(await new Response(watch.stderr).text(), "");
  assert.equal((await deadline(watch.status, "the end of the process")).code, 0);
});

Deno.test("teleport logs prints the output so far of a job that keeps writing, and ends", async () => {
  await using server = await startServer();
  const id = await teleportOk(server, "run", "-d", "sh", "-c", "while :; do echo line; done");
  const [first, second] = [await teleportOk(server, "logs", id), await teleportOk(server, "logs", id)];
  await teleportOk(server, "stop", id);
  const whole = await teleportOk(server, "logs", id);
  assert.ok(second.length > first.length && second.startsWith(first) && whole.startsWith(second));
});

Deno.test("teleport has a command for each step of a job's life", async () => {
  await using server = await startServer();
  const register = ["register", "-l", "kind=test", "--timeout", "1h", "sh", "-c", "echo hi; exit 3"];
  const id = await teleportOk(server, ...register);
  assert.match(id, /^\S+$/);
  assert.match(await teleportOk(server, "status", id), /^State: +INITIAL$/m);
  assert.match((await teleport(server, "signal", id, "TERM")).stderr, /not running/);
  assert.equal(await teleportOk(server, "logs", id), "");
  assert.match(await teleportOk(server, "start", id), /^(STARTING\n)?RUNNING, pid \d+\nEXITED 3$/);
  assert.equal(await teleportOk(server, "start", id), "EXITED 3");
  assert.equal(await teleportOk(server, "watch", id), "EXITED 3");
  assert.equal((await teleport(server, "wait", id)).code, 3);
  assert.equal(await teleportOk(server, "logs", "-f", id), "hi");
  assert.equal(await teleportOk(server, "stop", id), `${id} EXITED 3`);

  const json = JSON.parse(await teleportOk(server, "status", "--output", "json", id));
  assert.deepEqual(
    [json.id, json.state, json.exit_code, json.reason, json.owner, json.labels, json.stdout_bytes, json.timeout_ms],
    [id, "EXITED", 3, "EXITED", "admin", { kind: "test" }, 3, 3_600_000],
  );
  assert.ok(Date.parse(json.registered_at) <= Date.parse(json.started_at));
  assert.ok(Date.parse(json.started_at) <= Date.parse(json.ended_at));
  assert.ok(!("signal" in json) && !("error" in json));

  const other = await teleportOk(server, "register", "true");
  assert.match(
    await teleportOk(server, "list"),
    new RegExp(`^ID .*COMMAND\n${other} +INITIAL .* true\n${id} +EXITED 3 `),
  );
  assert.equal(await teleportOk(server, "list", "-q", "--label", "kind=test"), id);
  assert.equal(await teleportOk(server, "list", "-q", "--state", "initial", "--owner", "admin"), other);
  assert.equal(await teleportOk(server, "list", "-q", "--limit", "1"), other);

  assert.equal(await teleportOk(server, "rm", id, other), `${id}\n${other}`);
  const gone = await teleport(server, "status", id);
  assert.deepEqual([gone.code, gone.stdout], [1, ""]);
  assert.match(gone.stderr, /^teleport: Unknown job/);
});

Deno.test("teleport exits with 255 when it cannot reach the server or the certificate is refused", async () => {
  await using server = await startServer();
  await using stranger = await startServer();
  const refusals: [string, { address: string; dir: string }][] = [
    ["nothing listens", { address: "127.0.0.1:1", dir: server.dir }],
    ["certificates of another authority", { address: server.address, dir: stranger.dir }],
    ["no certificates", { address: server.address, dir: `${server.dir}/none` }],
    ["no such host", { address: "no-such-host.invalid:50051", dir: server.dir }],
  ];
  for (const [what, to] of refusals) {
    for (const args of [["list"], ["run", "true"]]) {
      const ended = await teleport(to, ...args);
      assert.equal(ended.code, 255, `${what}: ${ended.stderr}`);
      assert.equal(ended.stdout, "");
      assert.match(ended.stderr, /^teleport: [A-Z].*\n$/, what);
    }
  }
  assert.equal(await teleportOk(server, "list", "-q"), "");
});

Deno.test("teleport run exits with 255 when the server is killed, and warns that the job may still run", async () => {
  await using server = await startServer();
  const run = spawnTeleport(server, "run", "--retry-for", "0s", "sh", "-c", "echo ready; exec sleep 1000");
  const stdout = run.stdout.getReader();
  await readUntil(stdout, "ready");
  const job = JSON.parse(await teleportOk(server, "list", "--output", "json"));
  server.process.kill("SIGKILL");
  const [status, stderr] = await Promise.all([run.status, new Response(run.stderr).text(), readRest(stdout)]);
  assert.equal(status.code, 255);
  assert.match(stderr, new RegExp(`Job "${job.id}" may still run: `));
});

Deno.test("teleport connects to localhost, and whoami prints the user", async () => {
  await using server = await startServer();
  const port = server.address.split(":").at(-1);
  assert.equal(await teleportOk(server, "list", "-q", "--address", `localhost:${port}`), "");
  const me = JSON.parse(await teleportOk(server, "whoami", "--output", "json"));
  assert.deepEqual([me.identity, me.user, me.roles, me.address], ["admin", "admin", ["admin"], server.address]);
  assert.match(me.fingerprint, /^[0-9a-f]{64}$/);
});
