/** Programs whose standard streams cannot be written: a full disk, or a closed descriptor. */
import assert from "node:assert/strict";
import { spawnServer, startServer, teleport, teleportOk } from "../support/programs.ts";
import { tempDir } from "../support/temp_dir.ts";
import { deadline } from "../support/deadline.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const DENO = [Deno.execPath(), "run", "--quiet", "--no-prompt"];

/** The longest start on a busy machine, in milliseconds. */
const START_MS = 60_000;

/** Returns the port on which a process listens, from /proc. A server without a log cannot report it. */
async function listeningPort(pid: number): Promise<number> {
  const deadline = performance.now() + START_MS;
  while (performance.now() < deadline) {
    const inodes = new Set<string>();
    for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
      try {
        inodes.add(Deno.readLinkSync(`/proc/${pid}/fd/${name}`));
      } catch {
        // Closed meanwhile.
      }
    }
    // proc_pid_net(5): local address, state 0A for LISTEN, inode in column 10.
    for (const line of Deno.readTextFileSync(`/proc/${pid}/net/tcp`).split("\n").slice(1)) {
      const columns = line.trim().split(/\s+/);
      if (columns[3] !== "0A" || !inodes.has(`socket:[${columns[9]}]`)) continue;
      return parseInt(columns[1]?.split(":")[1] ?? "", 16);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("The server does not listen");
}

/** Runs one of the programs with a redirection of the shell. */
async function redirected(redirection: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", `exec "$@" ${redirection}`, "sh", ...DENO, ...args],
    cwd: ROOT,
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

async function inDirectory(use: (dir: string) => Promise<void>): Promise<void> {
  await using temporary = await tempDir();
  const dir = temporary.path;

  await use(dir);
}

for (const redirection of ["2>/dev/full", "2>&-", "2>&- >&- <&-"]) {
  Deno.test(`teleportd with ${redirection} serves, runs a job, reloads and exits with 0`, () =>
    inDirectory(async (dir) => {
      const { process } = spawnServer({ dir, redirection });
      try {
        const drained = process.stderr.cancel();
        const server = { dir, address: `127.0.0.1:${await listeningPort(process.pid)}` };
        assert.equal(await teleportOk(server, "run", "--", "sh", "-c", "echo out; sleep 0.2; echo more"), "out\nmore");
        // A failed reload writes a line of the log.
        await Deno.writeTextFile(`${dir}/certs/server.crt`, "broken");
        process.kill("SIGHUP");
        assert.equal(await teleportOk(server, "run", "--", "echo", "after"), "after");
        process.kill("SIGTERM");
        assert.equal((await deadline(process.status, "the end of the process")).code, 0);
        await drained;
      } finally {
        try {
          process.kill("SIGKILL");
        } catch {
          // It has ended.
        }
        await deadline(process.status, "the end of the process");
      }
    }));
}

Deno.test("every program fails with a sentence when a full disk does not take its result", () =>
  inDirectory(async (dir) => {
    await using server = await startServer();
    const certs = `${dir}/certs`;
    const results = [
      ["-A", "server.ts", "--help"],
      ["-A", "server.ts", "--version"],
      ["-A", "server.ts", "audit", "verify", `${server.dir}/data/audit`],
      ["-P=certs", "certs.ts", "--help"],
      ["-P=certs", "certs.ts", "init", "--dir", certs],
      ["-P=certs", "certs.ts", "list", "--dir", certs],
      ["-P=certs", "certs.ts", "show", "admin", "--dir", certs, "--output", "json"],
      ["-P=cli", "cli.ts", "--help"],
      ["-P=cli", "cli.ts", "whoami", "--address", server.address, "--certs", `${server.dir}/certs`],
    ];
    for (const args of results) {
      const { code, stderr } = await redirected(">/dev/full", ...args);
      assert.match(
        stderr,
        /^\w+: Cannot write to the standard output: No space left on device \(os error 28\)\n$/,
        `${args}`,
      );
      assert.equal(code, 1, `${args}`);
    }
  }));

Deno.test("no exit code changes when a full disk does not take the error", () =>
  inDirectory(async (dir) => {
    const certs = `${dir}/certs`;
    const made = await redirected("2>/dev/full", "-P=certs", "certs.ts", "init", "--dir", certs);
    assert.equal(made.code, 0);
    const client = ["-P=certs", "certs.ts", "client", "eve", "--role", "of-my-own", "--dir", certs];
    assert.equal((await redirected("2>/dev/full", ...client)).code, 0);
    assert.equal((await redirected("2>/dev/full", ...client)).code, 1);
    assert.equal((await redirected("2>/dev/full", "-A", "server.ts", "--nonsense")).code, 2);
    assert.equal((await redirected("2>/dev/full", "-P=cli", "cli.ts", "list", "--nonsense")).code, 2);
    await using server = await startServer();
    const at = ["--address", server.address, "--certs", `${server.dir}/certs`];
    const failed = await redirected("2>/dev/full", "-P=cli", "cli.ts", "run", ...at, "--", "/nowhere/command");
    assert.equal(failed.code, 127);
    const { code, stderr } = await teleport(server, "run", "--", "sh", "-c", "echo out; echo err >&2; exit 3");
    assert.deepEqual([code, stderr], [3, "err\n"]);
  }));
