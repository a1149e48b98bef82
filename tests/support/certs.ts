/** Helpers for the tests of certificates: snapshots of a directory, expected refusals, and openssl. */
import assert from "node:assert/strict";
import { CertificateError, type CertificateErrorCode } from "../../certs/errors.ts";
import { needing, type TestName } from "./needs.ts";

/** Reads a directory: the name, the mode and the text of each entry. */
export async function snapshot(dir: string): Promise<Record<string, { mode: string; text: string }>> {
  const entries: Record<string, { mode: string; text: string }> = {};
  for await (const { name, isFile } of Deno.readDir(dir)) {
    const { mode } = await Deno.lstat(`${dir}/${name}`);
    const text = isFile ? await Deno.readTextFile(`${dir}/${name}`) : "";
    entries[name] = { mode: ((mode ?? 0) & 0o777).toString(8), text };
  }
  return entries;
}

/** Lists the names in a directory, sorted and with hidden ones. */
export async function namesIn(dir: string): Promise<string[]> {
  return Object.keys(await snapshot(dir)).sort();
}

/** Expects an error with this code and a matching text, which has the form of all error texts. */
export async function refuses(
  work: () => unknown,
  code: CertificateErrorCode,
  sentence: RegExp,
): Promise<void> {
  await assert.rejects(async () => await work(), (error) => {
    assert.ok(error instanceof CertificateError, `Not a refusal: ${error}`);
    assert.equal(error.code, code);
    assert.match(error.message, sentence);
    assert.match(error.message, /^["'A-Z].*[^.]$/s);
    return true;
  });
}

/** Names a test that needs openssl. */
export function withOpenssl(name: string): TestName {
  return needing("openssl", name);
}

/** Runs openssl and gives its output, both streams joined. */
export async function openssl(...args: string[]): Promise<{ success: boolean; text: string }> {
  const { success, stdout, stderr } = await new Deno.Command("openssl", { args }).output();
  const decoder = new TextDecoder();
  return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}
