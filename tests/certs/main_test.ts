/** Tests of the certificate tool as a function: exit codes, streams and defaults. */
import assert from "node:assert/strict";
import { EXIT_CODE, main } from "../../certs/main.ts";
import type { DirectoryVariable } from "../../trust/default_directory.ts";
import { namesIn } from "../support/certs.ts";
import { tempDir } from "../support/temp_dir.ts";

/** Runs the tool and returns its exit code and output. */
async function run(args: readonly string[], variables: Partial<Record<DirectoryVariable, string>> = {}) {
  const decoder = new TextDecoder();
  const output = { stdout: "", stderr: "" };
  const file = (name: keyof typeof output) => ({
    writeSync(bytes: Uint8Array) {
      output[name] += decoder.decode(bytes);
      return bytes.length;
    },
  });
  const code = await main(args, {
    stdout: file("stdout"),
    stderr: file("stderr"),
    readVariable: (name) => variables[name],
  });
  return { code, ...output };
}

Deno.test("main() creates a directory and prints one JSON object per certificate", async () => {
  await using dir = await tempDir();
  const { code, stdout, stderr } = await run(["init", "--output", "json"], { TELEPORT_CERTS: `${dir.path}/certs` });
  assert.deepEqual([code, stderr], [EXIT_CODE.OK, ""]);
  assert.deepEqual(stdout.trimEnd().split("\n").map((line) => JSON.parse(line).name), ["ca", "server", "admin"]);
  assert.equal((await namesIn(`${dir.path}/certs`)).length, 6);
  const list = await run(["list", "--dir", `${dir.path}/certs`]);
  assert.match(list.stdout, /^NAME +USE +STANDING +UNTIL +KEY +ROLES OR HOSTS +SERIAL\nca +authority +valid +\d{4}-/);
});

Deno.test("main() returns the exit codes of refusals, usage errors and help", async () => {
  assert.deepEqual(await run(["list"]), {
    code: EXIT_CODE.FAILED,
    stdout: "",
    stderr: "certs: Cannot find the certificate directory: give --dir, or set TELEPORT_CERTS or HOME\n",
  });
  assert.equal((await run(["nonsense"])).code, EXIT_CODE.USAGE);
  assert.equal((await run(["client", "\ufffd", "--role", "viewer"])).code, EXIT_CODE.USAGE);
  assert.equal((await run(["list"], { TELEPORT_CERTS: "\ufffd" })).code, EXIT_CODE.USAGE);
  for (const command of ["init", "server", "client", "renew", "revoke", "list", "show"]) {
    const help = await run([command, "--help"]);
    assert.deepEqual([help.code, help.stderr], [EXIT_CODE.OK, ""], command);
    assert.match(help.stdout, new RegExp(`Usage: certs ${command} `));
  }
});

Deno.test("main() advises an option only where the command has it, and says that nothing was changed", async () => {
  await using dir = await tempDir();
  const variables = { TELEPORT_CERTS: `${dir.path}/certs` };
  assert.equal((await run(["init"], variables)).code, EXIT_CODE.OK);
  assert.equal((await run(["client", "ann", "--role", "viewer"], variables)).code, EXIT_CODE.OK);
  const where = `certs: Cannot write to "${dir.path}/certs": it already has`;
  assert.equal(
    (await run(["client", "ann", "--role", "viewer"], variables)).stderr,
    `${where} "ann.key", and nothing was changed; use --force to replace it, or give another directory\n`,
  );
  assert.equal(
    (await run(["init"], variables)).stderr,
    `${where} "admin.crt" and 7 more, and nothing was changed; give another directory\n`,
  );
});

Deno.test("main() names the file of a certificate that cannot be revoked, and counts those that are", async () => {
  await using dir = await tempDir();
  const variables = { TELEPORT_CERTS: `${dir.path}/certs` };
  assert.equal((await run(["init"], variables)).code, EXIT_CODE.OK);
  const file = `${dir.path}/eva.crt`;
  await Deno.writeTextFile(file, "hello");
  assert.equal(
    (await run(["revoke", "--cert", file], variables)).stderr,
    `certs: Cannot read the certificate in "${file}": the text must be PEM, beginning with "BEGIN CERTIFICATE"\n`,
  );
  assert.match((await run(["revoke", "admin"], variables)).stdout, /\/ca\.crl, with 1 certificate\n/);
  assert.match((await run(["revoke", "--serial", "5F"], variables)).stdout, /\/ca\.crl, with 2 certificates\n/);
});

Deno.test("main() fails when its result cannot be written, and ignores a failed note", async () => {
  await using dir = await tempDir();
  const full = {
    writeSync(): number {
      throw new Error("disk full");
    },
  };
  const closed = {
    writeSync(): number {
      throw new Deno.errors.BrokenPipe("closed");
    },
  };
  const quiet = { writeSync: (bytes: Uint8Array) => bytes.length };
  const codeOf = (args: readonly string[], stdout: typeof quiet | typeof full, stderr: typeof quiet | typeof full) =>
    main(args, { stdout, stderr, readVariable: () => undefined });
  assert.equal(await codeOf(["init", "--dir", `${dir.path}/a`], full, quiet), EXIT_CODE.FAILED);
  assert.equal(await codeOf(["init", "--dir", `${dir.path}/b`], closed, quiet), EXIT_CODE.BROKEN_PIPE);
  assert.equal(await codeOf(["client", "ann", "--role", "x", "--dir", `${dir.path}/b`], quiet, full), EXIT_CODE.OK);
});
