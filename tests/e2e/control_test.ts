/** The user, the limits and the privileges of jobs, from the command line to the process. */
import assert from "node:assert/strict";
import { startServer, teleport, teleportOk } from "../support/programs.ts";
import { clientOf, finalOf, refusal } from "../support/server_process.ts";
import { needing } from "../support/needs.ts";
import { tempDir } from "../support/temp_dir.ts";

const NO_NEW = "sed -n 's/^NoNewPrivs:\\t//p' /proc/self/status";

Deno.test("a job has the limits, umask and niceness of its command line, and status shows them", async () => {
  await using server = await startServer();
  const options = ["--ulimit", "nofile=64", "--ulimit", "core=0", "--umask", "077", "--nice", "5", "--label", "a=b"];
  const text = await teleportOk(server, "run", ...options, "--", "sh", "-c", "ulimit -n; ulimit -c; umask; nice");
  const [files, core, umask] = text.split("\n");
  assert.deepEqual([files, core, umask], ["64", "0", "0077"]);
  const list = await teleportOk(server, "list", "--quiet");
  assert.match(await teleportOk(server, "status", list.trim()), /^Ulimits: +core=0 nofile=64$/m);
  const { code, stderr } = await teleport(server, "run", "--ulimit", "files=3", "true");
  assert.equal(code, 2);
  assert.match(stderr, /Invalid value "files=3" for --ulimit/);
});

Deno.test("--timeout ends a job at most 200 ms late, and run exits with 124", async () => {
  await using server = await startServer();
  // A busy machine may be late once.
  const tookMs: number[] = [];
  while (tookMs.length < 5 && !tookMs.some((ms) => ms <= 700)) {
    const { code } = await teleport(server, "run", "--timeout", "500ms", "sleep", "1000");
    assert.equal(code, 124);
    const [newest = ""] = (await teleportOk(server, "list", "--output", "json")).split("\n");
    const job = JSON.parse(newest);
    assert.equal(job.reason, "TIMED_OUT");
    tookMs.push(Date.parse(job.ended_at) - Date.parse(job.started_at));
  }
  assert.ok(tookMs.every((ms) => ms >= 499) && tookMs.some((ms) => ms <= 700), `${tookMs} ms`);
});

Deno.test("a job gains no privileges, and an option that the host cannot provide is FAILED_PRECONDITION", async () => {
  await using server = await startServer();
  await using client = await clientOf(server);
  assert.equal(await teleportOk(server, "run", "--", "sh", "-c", NO_NEW), "1");
  for (const request of [{ allow_new_privileges: true }, { inherit_env: true }]) {
    const error = await refusal(client.calls.Register({ command: "true", ...request }));
    assert.equal(error.status, "FAILED_PRECONDITION");
  }
  const error = await refusal(client.calls.Register({ command: "true", rlimits: { open_files: 2 ** 40 } }));
  assert.equal(error.status, "FAILED_PRECONDITION");
  for (const request of [{ umask: 0o1000 }, { nice: 20 }, { rlimits: { cpu_seconds: 0 } }, { user: "a:b" }]) {
    const error = await refusal(client.calls.Register({ command: "true", ...request }));
    assert.equal(error.status, "INVALID_ARGUMENT");
  }
});

Deno.test({
  ...needing("root", "a job runs as the user that it names"),
  async fn() {
    await using server = await startServer();
    await using client = await clientOf(server);
    const script = 'id -un; echo "$HOME $USER"; ' + NO_NEW;
    const [name, variables, noNew] = (await teleportOk(server, "run", "--user", "nobody", "--", "sh", "-c", script))
      .split("\n");
    assert.equal(name, "nobody");
    assert.match(variables ?? "", /^\/\S* nobody$/);
    assert.equal(noNew, "1");
    const { id } = await client.calls.Register({ command: "true", user: "no-such-user" });
    const status = await finalOf(client.calls, id);
    assert.equal(`${status.state} ${status.error_code}`, "STATE_FAILED USER_NOT_FOUND");
    assert.match(status.error, /^No such user "no-such-user"/);
    assert.equal(status.user, "no-such-user");
  },
});

Deno.test("a job is isolated when the host can do it, and refused otherwise", async () => {
  await using server = await startServer();
  const strict = ["run", "--isolate", "strict"];
  if (Deno.uid() === 0) {
    const asRoot = await teleport(server, ...strict, "true");
    assert.equal(asRoot.code, 1);
    assert.match(asRoot.stderr, /Cannot isolate a job as "STRICT" here: it would run as root, /);
    strict.push("--user", "nobody");
  }
  const { code, stdout, stderr } = await teleport(server, ...strict, "--", "ls", "-A", "/tmp");
  if (code === 0) {
    assert.equal(stdout, "");
    assert.match(await teleportOk(server, "list", "--output", "json"), /"isolation":"STRICT"/);
  } else assert.match(stderr, /Cannot isolate a job as "STRICT" here: .*\(.*\)/);
  const unknown = await teleport(server, "run", "--isolate", "much", "true");
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /Unknown isolation "much" for --isolate: give "private" or "strict"/);
});

Deno.test("a job gets privileges and variables when it asks and the server allows it", async () => {
  await using server = await startServer({ args: ["--allow-new-privileges", "--inherit-env", "PATH,TERM,*"] });
  const script = `${NO_NEW}; echo "\${DENO_DIR-}\${PWD}"`;
  const [noNew] = (await teleportOk(server, "run", "--", "sh", "-c", script)).split("\n");
  assert.equal(noNew, "1");
  const own = await teleportOk(server, "run", "--allow-new-privileges", "--", "sh", "-c", NO_NEW);
  assert.equal(own, /^NoNewPrivs:\t(.)$/m.exec(await Deno.readTextFile("/proc/self/status"))?.[1]);
  const inherited = await teleportOk(server, "run", "--inherit-env", "--", "env");
  for (const name of Object.keys(Deno.env.toObject())) assert.match(inherited, new RegExp(`^${name}=`, "m"));
});

Deno.test("teleportd applies its limits file to jobs, and does not start with an invalid one", async () => {
  await using temporary = await tempDir();
  const dir = temporary.path;
  const file = `${dir}/limits.json`;
  await Deno.writeTextFile(
    file,
    JSON.stringify({ default: { ulimits: { nofile: 99 } }, max: { ulimits: { nofile: 100 } }, running: 1 }),
  );
  {
    await using server = await startServer({ args: ["--limits", file] });
    await using client = await clientOf(server);
    assert.equal(await teleportOk(server, "run", "--", "sh", "-c", "ulimit -n"), "99");
    const much = await refusal(client.calls.Register({ command: "true", rlimits: { open_files: 101 } }));
    assert.equal(much.status, "INVALID_ARGUMENT");
    await teleportOk(server, "run", "-d", "sleep", "1000");
    const full = await teleport(server, "run", "true");
    assert.equal(full.code, 1);
    assert.match(full.stderr, /Cannot run more than 1 job at a time/);
    const { id } = await client.calls.Register({ command: "true" });
    const error = await refusal((async () => {
      for await (const _ of client.calls.Start({ id }));
    })());
    assert.equal(error.status, "RESOURCE_EXHAUSTED");
  }
  await Deno.writeTextFile(file, '{ "defualt": {} }');
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "server.ts", "--check-config", "--init-certs", "--certs", `${dir}/c`, "--limits", file],
    cwd: new URL("../../", import.meta.url),
  }).output();
  assert.equal(code, 1);
  assert.match(new TextDecoder().decode(stderr), /"defualt"/);
});
