/** What the tests of certificates share: a directory that goes away, a look at it, and openssl. */
import assert from "node:assert/strict";
import { CertificateError, type CertificateErrorCode } from "../../certs/errors.ts";

/** A fresh directory with nothing in it; `path` may be removed or filled at will. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "teleport-certs-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Everything in a directory: the name of each entry, its mode and its text. */
export async function snapshot(dir: string): Promise<Record<string, { mode: string; text: string }>> {
  const entries: Record<string, { mode: string; text: string }> = {};
  for await (const { name, isFile } of Deno.readDir(dir)) {
    const { mode } = await Deno.lstat(`${dir}/${name}`);
    const text = isFile ? await Deno.readTextFile(`${dir}/${name}`) : "";
    entries[name] = { mode: ((mode ?? 0) & 0o777).toString(8), text };
  }
  return entries;
}

/** The names of the entries of a directory, sorted, hidden ones included. */
export async function namesIn(dir: string): Promise<string[]> {
  return Object.keys(await snapshot(dir)).sort();
}

/** Expects a refusal of this kind whose sentence matches, in the form all sentences have. */
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

/** True where openssl can be run; where it cannot, its tests are skipped and say so in their names. */
export const hasOpenssl = await new Deno.Command("openssl", { args: ["version"], stdout: "null", stderr: "null" })
  .output().then(({ success }) => success, () => false);

/** The name of a test that needs openssl. */
export function withOpenssl(name: string): { name: string; ignore: boolean } {
  return { name: hasOpenssl ? name : `${name} (skipped: openssl is not installed)`, ignore: !hasOpenssl };
}

/** Runs openssl and returns what it wrote, both streams joined. */
export async function openssl(...args: string[]): Promise<{ success: boolean; text: string }> {
  const { success, stdout, stderr } = await new Deno.Command("openssl", { args }).output();
  const decoder = new TextDecoder();
  return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}
