/**
 * The compiled programs work wherever they are started, or write in one line what is wrong. They write files only where
 * an option names the place.
 *
 * They are compiled with a stand-in for the runtime's base (tests/support/compiled.ts). So these tests show the bundles,
 * the embedded settings, and what the programs do. They show nothing of the real base. It may find its program in
 * another way, make a cache in TMPDIR, or read variables of its own.
 */
import assert from "node:assert/strict";
import { type Compiled, compileWithStandIn, embeddedSettings } from "../support/compiled.ts";
import { deadline } from "../support/deadline.ts";
import { readText } from "../support/growing_text.ts";
import { missing, needing, skippedIf } from "../support/needs.ts";
import { tempDir } from "../support/temp_dir.ts";

const metadata = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));

let compiled: Compiled | undefined;
Deno.test.beforeAll(async () => {
  if (missing("cc") === undefined) compiled = await compileWithStandIn();
});
Deno.test.afterAll(async () => await compiled?.[Symbol.asyncDispose]());

/** A way to start a program. */
interface Start {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly uid?: number;
  /** The path of the program. Default: its absolute path. */
  readonly program?: string;
}

/** Starts a program with exactly the variables of a start, as `env -i` does. */
function spawn(name: string, args: readonly string[], { env = {}, program, ...start }: Start): Deno.ChildProcess {
  return new Deno.Command(program ?? `${compiled!.dir}/${name}`, {
    args: [...args],
    env,
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...start,
    ...(start.uid !== undefined && { gid: start.uid }),
  }).spawn();
}

/** Runs a program to its end, and gives its exit code with what it wrote. */
async function run(name: string, args: readonly string[], start: Start): Promise<[number, string, string]> {
  const { code, stdout, stderr } = await deadline(
    spawn(name, args, start).output(),
    `${name} ${args.join(" ")}`,
    60_000,
  );
  return [code, new TextDecoder().decode(stdout), new TextDecoder().decode(stderr)];
}

/** Runs a function with an empty directory, which must be empty afterwards. */
async function leavesEmpty(body: (dir: string) => Promise<void>): Promise<void> {
  await using place = await tempDir({ mode: 0o777 });
  await body(place.path);
  assert.deepEqual((await Array.fromAsync(Deno.readDir(place.path))).map(({ name }) => name), []);
}

const VERSION = `${metadata.version}\n`;
/** The error of a client without certificates, and where its help is. */
const NO_CERTIFICATES = /^teleport: [^\n]+\n(See "teleport list --help"\n)?$/;

Deno.test({
  ...needing("cc", "a compiled program has the settings of its task embedded, and no code cache"),
  async fn() {
    const server = await embeddedSettings(`${compiled!.dir}/teleportd`);
    const client = await embeddedSettings(`${compiled!.dir}/teleport`);
    for (const settings of [server, client]) {
      assert.equal(settings.code_cache_key, null);
      assert.equal(settings.unsafely_ignore_certificate_errors, null);
      assert.equal(settings.node_modules, null, "all packages are in the bundle");
      assert.equal(settings.app_version, metadata.version);
      assert.deepEqual(settings.env_vars_from_env_file, {});
    }
    assert.ok((server.v8_flags as string[]).includes("--max-semi-space-size=8"));
    // The form is Deno's: an empty list allows or denies everything of that kind.
    const { allow_import: _, ...permissions } = client.permissions as Record<string, unknown>;
    assert.deepEqual(permissions, {
      allow_env: metadata.permissions.cli.env.allow,
      deny_env: null,
      ignore_env: [],
      allow_net: [],
      deny_net: null,
      allow_ffi: null,
      deny_ffi: [],
      allow_read: [],
      deny_read: null,
      ignore_read: null,
      allow_run: metadata.permissions.cli.run,
      deny_run: null,
      allow_sys: ["uid"],
      deny_sys: null,
      allow_write: [],
      deny_write: null,
      deny_import: [],
      prompt: false,
    });
  },
});

Deno.test({
  ...needing("cc", "a bundle has everything that its program imports"),
  async fn() {
    for (const bundle of ["server", "client"]) {
      for await (const { name } of Deno.readDir(`${compiled!.dir}/${bundle}`)) {
        const path = `${bundle}/${name}`;
        const text = await Deno.readTextFile(`${compiled!.dir}/${path}`);
        const imported = [...text.matchAll(/^(?:import|\} from) .*?"([^"]+)";$/gm)].map(([, from = ""]) => from);
        const others = imported.filter((from) => !from.startsWith("node:") && !from.startsWith("./"));
        assert.deepEqual(others, [], path);
      }
    }
  },
});

Deno.test({
  ...needing("cc", "compiled programs start anywhere, and write nothing to TMPDIR, HOME or the working directory"),
  async fn() {
    await leavesEmpty(async (tmp) => {
      await leavesEmpty(async (home) => {
        await leavesEmpty(async (cwd) => {
          const starts: [string, Start][] = [
            ["an empty directory", { cwd, env: { TMPDIR: tmp, HOME: home } }],
            ["HOME is empty", { cwd, env: { TMPDIR: tmp, HOME: "" } }],
            ["no environment", { cwd }],
            ["TMPDIR is missing", { cwd, env: { TMPDIR: `${tmp}/missing`, HOME: home } }],
          ];
          for (const [where, start] of starts) {
            for (const name of ["teleportd", "teleport"]) {
              assert.deepEqual(await run(name, ["--version"], start), [0, VERSION, ""], `${name}: ${where}`);
            }
            const [code, stdout, stderr] = await run("teleport", ["list"], start);
            assert.ok(code === 255 || code === 2, `${where}: ${code}`);
            assert.equal(stdout, "", where);
            assert.match(stderr, NO_CERTIFICATES, where);
            const [serverCode, , serverError] = await run("teleportd", ["--check-config"], start);
            assert.notEqual(serverCode, 0, where);
            assert.match(serverError, /^[^\n]+\n$/, where);
          }
        });
      });
    });
  },
});

Deno.test({
  ...needing("cc", "compiled programs start by a relative path and through a symbolic link"),
  async fn() {
    await using place = await tempDir();
    for (const name of ["teleportd", "teleport"]) {
      const relative = { cwd: compiled!.dir, program: `./${name}` };
      assert.deepEqual(await run(name, ["--version"], relative), [0, VERSION, ""]);
      await Deno.symlink(`${compiled!.dir}/${name}`, `${place.path}/other-${name}`);
      const linked = { cwd: place.path, program: `./other-${name}` };
      assert.deepEqual(await run(name, ["--version"], linked), [0, VERSION, ""]);
    }
  },
});

Deno.test({
  ...skippedIf(missing("cc", "root"), "compiled programs of another user start where that user can write nothing"),
  async fn() {
    await using place = await tempDir({ mode: 0o755 });
    const start = { uid: 65_534, cwd: place.path, env: { TMPDIR: place.path, HOME: place.path } };
    for (const name of ["teleportd", "teleport"]) {
      assert.deepEqual(await run(name, ["--version"], start), [0, VERSION, ""]);
    }
    const [, , stderr] = await run("teleport", ["list"], start);
    assert.match(stderr, NO_CERTIFICATES);
    const args = ["--init-certs", "--listen", "127.0.0.1:0"];
    const [code, stdout, refused] = await run("teleportd", args, start);
    assert.notEqual(code, 0);
    assert.equal(stdout, "");
    assert.match(refused, /^[^\n]+\n$/);
    assert.match(refused, /[Pp]ermission denied/);
  },
});

Deno.test({
  ...needing("cc", "a compiled server without an environment makes certificates and runs a job of a compiled client"),
  async fn() {
    await using place = await tempDir();
    await leavesEmpty(async (cwd) => {
      const paths = ["--certs", `${place.path}/certs`, "--data", `${place.path}/data`];
      const server = spawn("teleportd", ["--init-certs", "--listen", "127.0.0.1:0", ...paths], { cwd });
      const { growing: log, ended } = readText(server.stderr);
      try {
        const listening = /^listening on (\S+)$/m;
        await log.when(() => listening.test(log.text), "listening");
        const address = listening.exec(log.text)![1]!;
        const options = ["--address", address, "--certs", `${place.path}/certs`];
        const job = ["run", ...options, "--", "/bin/sh", "-c", "echo hello; exit 7"];
        assert.deepEqual(await run("teleport", job, { cwd }), [7, "hello\n", ""]);
        const [code, , stderr] = await run("teleport", ["list", ...options, "--identity", "nobody"], { cwd });
        assert.equal(code, 255);
        assert.match(stderr, /^teleport: [^\n]+\n$/);
      } finally {
        server.kill("SIGTERM");
        const { code } = await deadline(server.status, () => `the end of the server: ${log.text}`);
        await deadline(ended, "the end of the log");
        await server.stdout.cancel();
        assert.equal(code, 0, log.text);
      }
    });
    assert.deepEqual((await Array.fromAsync(Deno.readDir(place.path))).map(({ name }) => name).sort(), [
      "certs",
      "data",
    ]);
  },
});
