/** The certificate tool as a program: options, output and exit codes. */
import assert from "node:assert/strict";
import { UNPRINTABLE } from "../../text/unprintable.ts";
import { namesIn, snapshot } from "../support/certs.ts";
import { tempDir } from "../support/temp_dir.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const FILES = ["admin.crt", "admin.key", "ca.crt", "ca.key", "server.crt", "server.key"];

/** The package cache, which is not found after a change of HOME. */
const DENO_DIR = JSON.parse(await text(new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }))).denoDir;

async function text(command: Deno.Command): Promise<string> {
  return new TextDecoder().decode((await command.output()).stdout);
}

/** Runs the tool with the permissions of its task. */
function certs(args: readonly string[], env: Record<string, string> = {}) {
  return spawn([Deno.execPath(), "run", "-q", "--no-prompt", "-P=certs", `${ROOT}certs.ts`, ...args], env);
}

async function spawn([command, ...args]: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(command!, {
    args,
    cwd: ROOT,
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "", NO_COLOR: "1", DENO_DIR, ...env },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("certs init, client and server create the files they print, with their end dates", async () => {
  await using dir = await tempDir();
  const target = `${dir.path}/certs`;

  const init = await certs(["init", "--dir", target, "--host", "jobs.example.org", "--host", "192.0.2.7"]);
  assert.equal(init.stderr, "");
  assert.equal(init.code, 0);
  assert.deepEqual(await namesIn(target), FILES);
  assert.match(
    init.stdout,
    /for the authority, valid until 20\d\d-\d\d-\d\d:\n.*\/certs\/ca\.crt\n.*\/certs\/ca\.key\n/,
  );
  assert.match(
    init.stdout,
    /reached as localhost, 127\.0\.0\.1, ::1, .*jobs\.example\.org, 192\.0\.2\.7, valid until/,
  );
  assert.match(init.stdout, /for the user "admin" with the role admin, valid until/);
  assert.match(init.stdout, /Keep "ca\.key" secret/);

  const client = await certs(["client", "ann", "--role", "operator", "--role", "viewer", "--dir", target]);
  assert.equal(client.stderr, "");
  assert.equal(client.code, 0);
  const ending = new Date(Date.now() + 90 * 24 * 60 * 60 * 1000).toISOString().slice(0, 8);
  assert.match(client.stdout, new RegExp(`"ann" with the roles operator, viewer, valid until ${ending}`));
  assert.deepEqual(await namesIn(target), [...FILES, "ann.crt", "ann.key"].sort());

  const before = await snapshot(target);
  const server = await certs(["server", "--dir", target, "--force", "--days", "30"]);
  assert.equal(server.code, 0, server.stderr);
  const { "server.crt": certificate, "server.key": key, ...rest } = await snapshot(target);
  assert.notEqual(certificate?.text, before["server.crt"]?.text);
  assert.notEqual(key?.text, before["server.key"]?.text);
  for (const [name, entry] of Object.entries(rest)) assert.deepEqual(entry, before[name], name);
});

Deno.test("certs prints no control characters of arguments and paths", async () => {
  await using dir = await tempDir();
  const foreign = "a\u202eb\u200bc\u009b\x1bd";
  const target = `${dir.path}/${foreign}`;
  const outcomes = [
    await certs([foreign]),
    await certs([`--${foreign}`]),
    await certs(["list", foreign]),
    await certs(["list", "--dir", target]),
    await certs(["client", foreign, "--role", "viewer", "--dir", target]),
    await certs(["list", "--output", foreign]),
    await certs(["init", "--dir", target]),
    await certs(["list", "--dir", target]),
  ];
  assert.deepEqual(outcomes.map(({ code }) => code), [2, 2, 2, 1, 1, 1, 0, 0]);
  for (const { stdout, stderr } of outcomes) {
    assert.doesNotMatch((stdout + stderr).replaceAll("\n", ""), UNPRINTABLE);
  }
  assert.match(outcomes[0]?.stderr ?? "", /unknown command 'a\\u202eb\\u200bc\\u009b\\u001bd'/);
});

Deno.test("certs creates keys that only their owner can read, with any umask", async () => {
  await using dir = await tempDir();
  const target = `${dir.path}/certs`;
  const command = [Deno.execPath(), "run", "-q", "-P=certs", `${ROOT}certs.ts`, "init", "--dir", target];
  const { code, stderr } = await spawn(["/bin/sh", "-c", 'umask 0; exec "$@"', "sh", ...command]);
  assert.equal(code, 0, stderr);
  assert.equal((await snapshot(dir.path))["certs"]?.mode, "700");
  const modes = Object.entries(await snapshot(target)).map(([name, { mode }]) => [name.slice(-3), mode].join(" "));
  assert.deepEqual(modes.sort(), ["crt 644", "crt 644", "crt 644", "key 600", "key 600", "key 600"]);
});

Deno.test("certs needs only permissions for files, three variables and the host name", async () => {
  await using dir = await tempDir();
  const rights = [
    `--allow-read=${dir.path}`,
    `--allow-write=${dir.path}`,
    "--allow-env=TELEPORT_CERTS,XDG_CONFIG_HOME,HOME",
    "--allow-sys=hostname",
  ];
  const run = (...args: string[]) =>
    spawn([Deno.execPath(), "run", "-q", "--no-prompt", ...rights, `${ROOT}certs.ts`, ...args], {
      TELEPORT_CERTS: `${dir.path}/certs`,
      FORCE_COLOR: "1",
    });
  const init = await run("init");
  assert.equal(init.code, 0, init.stderr);
  assert.equal((await run("server", "--force")).code, 0);
  assert.equal((await run("--help")).code, 0);
  assert.equal((await run("--nonsense")).code, 2);
});

Deno.test("certs finds its directory with --dir, TELEPORT_CERTS, XDG_CONFIG_HOME, HOME, in this order", async () => {
  await using dir = await tempDir();
  const home = `${dir.path}/home`;
  const env: Record<string, string> = { HOME: home };
  const steps: [string, string[], Record<string, string>][] = [
    [`${home}/.config/teleport`, [], {}],
    [`${dir.path}/xdg/teleport`, [], { XDG_CONFIG_HOME: `${dir.path}/xdg` }],
    [`${dir.path}/variable`, [], { TELEPORT_CERTS: `${dir.path}/variable` }],
    [`${dir.path}/flag`, ["--dir", `${dir.path}/flag`], {}],
  ];
  for (const [expected, flags, variables] of steps) {
    Object.assign(env, variables);
    const { code, stderr } = await certs(["init", ...flags], env);
    assert.equal(code, 0, stderr);
    assert.deepEqual(await namesIn(expected), FILES);
  }
  const { code, stderr } = await certs(["init"]);
  assert.deepEqual([code, stderr], [
    1,
    "certs: Cannot find the certificate directory: give --dir, or set TELEPORT_CERTS or HOME\n",
  ]);
});

Deno.test("certs fails with one sentence and exit code 1, and changes nothing", async () => {
  await using dir = await tempDir();
  const target = `${dir.path}/certs`;
  assert.equal((await certs(["init", "--dir", target])).code, 0);
  const before = await snapshot(target);
  for (
    const [args, sentence] of [
      [["init"], /already has "admin\.crt" and 5 more/],
      [["server"], /already has "server\.key"/],
      [["client", "admin", "--role", "admin"], /already has "admin\.key"/],
      [["client", "../ann", "--role", "viewer"], /The user name must have .*, got "\.\.\/ann"/],
      [["client", "ca", "--role", "viewer", "--force"], /The user name must not be "ca" .*, got "ca"/],
      [["client", "--role", "viewer", "--", "-ann"], /The user name must .*, got "-ann"/],
      [["client", "ann", "--role", "a b"], /The role must .*, got "a b"/],
      [["server", "--host", "a:1", "--force"], /'--host' must .*, got "a:1"/],
      [["server", "--days", "0", "--force"], /'--days' must be an integer from 1 to 3650, got 0/],
      [
        ["server", "--days", "a week", "--force"],
        /'--days' must be an integer from 1 to 3650, got "a week"/,
      ],
      [["server", "--days=-1", "--force"], /'--days' must .*, got "-1"/],
      [["init", "--dir", ""], /'--dir' must be a path, got ""/],
    ] as const
  ) {
    const [command, ...rest] = args;
    const { code, stdout, stderr } = await certs([command, "--dir", target, ...rest]);
    assert.equal(code, 1, args.join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, /^certs: [^\n]+[^.]\n$/);
    assert.match(stderr, sentence);
  }
  assert.deepEqual(await snapshot(target), before);
});

Deno.test("certs exits with 2 after wrong usage, before any work", async () => {
  await using dir = await tempDir();
  for (
    const [args, sentence] of [
      [["nonsense"], /unknown command 'nonsense'/],
      [["--nonsense"], /unknown option '--nonsense'/],
      [["init", "--nonsense"], /unknown option '--nonsense'/],
      [["init", "--force"], /unknown option '--force'/],
      [["init", "surplus"], /too many arguments/],
      [["init", "--days"], /argument missing/],
      [["client", "--role", "viewer"], /missing required argument/],
      [["client", "ann"], /required option '--role <role>'/],
      [["client", "ann", "bob", "--role", "viewer"], /too many arguments/],
    ] as const
  ) {
    const { code, stdout, stderr } = await certs(args, { TELEPORT_CERTS: `${dir.path}/certs` });
    assert.equal(code, 2, args.join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, /^certs: [^\n]+\n$/);
    assert.match(stderr, sentence);
  }
  const { code, stdout, stderr } = await certs([]);
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /^Examples:\n/);
  assert.deepEqual(await namesIn(dir.path), []);
});

Deno.test("certs --help prints examples first, then every option", async () => {
  for (
    const [args, words] of [
      [["--help"], ["init", "server", "client"]],
      [["init", "--help"], ["--dir", "--host", "--days"]],
      [["server", "--help"], ["--dir", "--host", "--days", "--force"]],
      [["client", "--help"], ["NAME", "--dir", "--role", "--days", "--force"]],
    ] as const
  ) {
    const { code, stdout, stderr } = await certs(args);
    assert.equal(code, 0);
    assert.equal(stderr, "");
    assert.match(stdout, /^Examples?:\n {2}certs /);
    const options = stdout.slice(stdout.indexOf("Usage:"));
    for (const word of words) assert.ok(options.includes(word), `${args.join(" ")}: ${word}`);
  }
});

Deno.test("certs client warns about an unknown role, and creates the certificate", async () => {
  await using dir = await tempDir();
  assert.equal((await certs(["init", "--dir", dir.path])).code, 0);
  const { code, stderr } = await certs(["client", "ann", "--role", "operater", "--dir", dir.path]);
  assert.equal(code, 0);
  assert.match(stderr, /^certs: Note: role "operater" is not admin, operator, viewer/);
  assert.ok((await namesIn(dir.path)).includes("ann.key"));
});

Deno.test("deno task certs accepts arguments with and without two dashes before them", async () => {
  await using dir = await tempDir();
  for (const [name, dashes] of [["with", ["--"]], ["without", []]] as const) {
    const target = `${dir.path}/${name}`;
    const args = ["task", "certs", ...dashes, "init", "--dir", target];
    const { code, stderr } = await spawn([Deno.execPath(), ...args], { HOME: dir.path });
    assert.equal(code, 0, stderr);
    assert.deepEqual(await namesIn(target), FILES);
  }
});
