/** A server refuses files that another user could have written. */
import assert from "node:assert/strict";
import { certs, startServer, teleportd } from "../support/programs.ts";
import { makePlace, replaceFile } from "../support/server_place.ts";
import { tempDir } from "../support/temp_dir.ts";

const isRoot = Deno.uid() === 0;

Deno.test("teleportd does not start with files that others can write, and names the path and the remedy", async () => {
  await using place = await makePlace();
  const { dir } = place;
  await replaceFile(`${dir}/policy.json`, '{ "roles": { "admin": [] } }');
  await replaceFile(`${dir}/limits.json`, "{}");
  await replaceFile(`${dir}/certs/ca.key`, "x", 0o600);
  await Deno.mkdir(`${dir}/data/audit`, { recursive: true, mode: 0o700 });
  await Deno.writeTextFile(`${dir}/data/audit/audit.head`, "", { mode: 0o600 });
  await Deno.writeTextFile(`${dir}/data/jobs.db`, "", { mode: 0o600 });
  const args = ["--check-config", "--certs", `${dir}/certs`, "--data", `${dir}/data`];
  const check = () => teleportd(...args, "--policy", `${dir}/policy.json`, "--limits", `${dir}/limits.json`);
  assert.equal((await check()).code, 0, (await check()).stderr);
  const wrong: [string, number, number][] = [
    [`${dir}/certs`, 0o777, 0o700],
    [`${dir}/certs/ca.crt`, 0o666, 0o644],
    [`${dir}/certs/server.crt`, 0o666, 0o644],
    [`${dir}/policy.json`, 0o666, 0o644],
    [`${dir}/limits.json`, 0o646, 0o644],
    [`${dir}/data`, 0o777, 0o700],
    [`${dir}/data/jobs.db`, 0o666, 0o600],
    [`${dir}/data/audit`, 0o777, 0o700],
    [`${dir}/data/audit/audit.head`, 0o666, 0o600],
    [dir, 0o777, 0o700],
  ];
  for (const [path, mode, back] of wrong) {
    await Deno.chmod(path, mode);
    const { code, stderr } = await check();
    assert.equal(code, 1, path);
    assert.ok(
      stderr.includes(`error Cannot trust "${path}": every user can change it (mode 0${mode.toString(8)})`),
      stderr,
    );
    assert.match(stderr, /; run chmod go-w \//);
    await Deno.chmod(path, back);
  }
  await Deno.chmod(`${dir}/certs/ca.key`, 0o644);
  assert.match((await check()).stderr, /ca\.key": other users can read or change it \(mode 0644\); run chmod 600/);
  await Deno.chmod(`${dir}/certs/ca.key`, 0o600);
  if (!isRoot) return;
  for (const path of [`${dir}/policy.json`, `${dir}/certs`, `${dir}/certs/ca.crt`]) {
    await Deno.chown(path, 12345, null);
    assert.ok((await check()).stderr.includes(`Cannot trust "${path}": uid 12345 owns it`));
    await Deno.chown(path, 0, null);
  }
});

Deno.test("teleportd keeps its configuration when a new file can be written by others", async () => {
  await using place = await makePlace();
  const { dir } = place;
  await replaceFile(`${dir}/policy.json`, '{ "roles": { "admin": [] } }');
  await using server = await startServer({
    dir,
    initCerts: false,
    jobHost: "none",
    args: ["--policy", `${dir}/policy.json`],
  });
  await Deno.writeTextFile(`${dir}/policy.json.new`, '{ "roles": { "admin": [], "b": [] } }');
  await Deno.chmod(`${dir}/policy.json.new`, 0o666);
  await Deno.rename(`${dir}/policy.json.new`, `${dir}/policy.json`);
  await server.says(/^error Cannot reload the policy, .*policy\.json": every user can change it/);
  await Deno.chmod(`${dir}/certs/ca.crt`, 0o666);
  server.process.kill("SIGHUP");
  await server.says(/^error Cannot reload the certificates, .*ca\.crt": every user can change it/);
});

Deno.test("teleportd warns when its jobs can read the authority's key", async () => {
  await using temporary = await tempDir();
  const dir = temporary.path;

  await certs("init", "--dir", `${dir}/certs`);
  await using server = await startServer({ dir, initCerts: false, jobHost: "none" });
  await server.says(
    isRoot
      ? /^warn Every job that runs as root can read the /
      : /^warn Every job that runs as the server's user can read the /,
  );
  assert.equal(await server.stop(), 0);
  await Deno.remove(`${dir}/certs/ca.key`);
  const { stderr } = await teleportd("--check-config", "--certs", `${dir}/certs`, "--data", `${dir}/data`);
  assert.equal(/ca\.key/.test(stderr), false);
});
