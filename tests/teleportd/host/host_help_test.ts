/** Tests of the help and the errors of `teleportd host …`. */
import assert from "node:assert/strict";
import type { ProcessAccess } from "../../../teleportd/program/process_access.ts";
import { program } from "../../../teleportd/program/host.ts";

async function teleportd(...args: string[]) {
  const [printed, errors]: [string[], string[]] = [[], []];
  const access = {
    version: "1.0.0",
    print: (text: string) => printed.push(text),
    usage: { write: (text: string) => errors.push(text) },
    variable: () => undefined,
  } as unknown as ProcessAccess;
  const code = await program(["host", ...args], access);
  return { code, stdout: printed.join(""), stderr: errors.join("") };
}

Deno.test("teleportd host node --help says what it does, and without a script it is a usage error", async () => {
  const help = await teleportd("node", "--help");
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^Usage: teleportd host node \[options\] <script>/);
  assert.match(help.stdout, /--recover/);
  const missing = await teleportd("node");
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /missing required argument 'script'/);
  assert.equal((await teleportd("node", "--nonsense")).code, 2);
  assert.match((await teleportd("--help")).stdout, /node \[options\] <script>/);
});
