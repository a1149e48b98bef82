/** Damages files at random, and checks what comes of it: the right data, or an error with a sentence. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Random } from "./random.ts";

const PAGE_BYTES = 4_096;

/** The ways in which disks fail. Each returns the damaged bytes, and may change its argument. */
const WAYS: Readonly<Record<string, (bytes: Uint8Array, random: Random) => Uint8Array>> = {
  "a flipped bit": (bytes, random) => {
    const at = random.below(bytes.length);
    bytes[at] = bytes[at]! ^ (1 << random.below(8));
    return bytes;
  },
  "a hundred flipped bits": (bytes, random) => {
    for (let count = 0; count < 100; count++) bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
    return bytes;
  },
  "a truncated file": (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  "a page of zeros": (bytes, random) => {
    const from = PAGE_BYTES * random.below(Math.ceil(bytes.length / PAGE_BYTES));
    return bytes.fill(0, from, from + PAGE_BYTES);
  },
  "a page copied from another place": (bytes, random) => {
    const pages = Math.ceil(bytes.length / PAGE_BYTES);
    const from = PAGE_BYTES * random.below(pages);
    bytes.copyWithin(PAGE_BYTES * random.below(pages), from, from + PAGE_BYTES);
    return bytes;
  },
  "a page of noise": (bytes, random) => {
    const from = PAGE_BYTES * random.below(Math.ceil(bytes.length / PAGE_BYTES));
    for (let at = from; at < Math.min(bytes.length, from + PAGE_BYTES); at++) bytes[at] = random.below(256);
    return bytes;
  },
};

/**
 * Damages one file in one way.
 *
 * @returns the name of the way, for the text of a failure
 */
export function damageFile(path: string, random: Random): string {
  const bytes = Deno.readFileSync(path);
  if (bytes.length === 0) return "an empty file";
  const names = Object.keys(WAYS);
  // Half of all cases flip one bit, which is the hardest damage to notice.
  const name = random.below(2) === 0 ? names[0]! : names[random.below(names.length)]!;
  Deno.writeFileSync(path, WAYS[name]!(bytes, random));
  return name;
}

/** Lists the files below a directory, in the same order on every machine. */
export function filesBelow(directory: string): string[] {
  return [...Deno.readDirSync(directory)].sort((a, b) => a.name < b.name ? -1 : 1).flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(join(directory, name)) : [join(directory, name)]
  );
}

/** Copies a directory with its contents. */
export function copyDirectory(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) copyDirectory(join(from, name), join(to, name));
    else Deno.copyFileSync(join(from, name), join(to, name));
  }
}

/** Fails unless the error is of an expected class and its text is a sentence without a stack. */
export function assertRefusal(
  error: unknown,
  // deno-lint-ignore no-explicit-any -- constructors of errors take what each takes
  expected: readonly (new (...args: any[]) => Error)[],
  context: string,
): asserts error is Error {
  const known = expected.some((kind) => error instanceof kind);
  assert.ok(known, `${context}: ${error instanceof Error ? error.stack : error}`);
  const { message } = error as Error;
  assert.match(message, /^[^\n]{10,1000}$/, `${context}: a sentence`);
  assert.doesNotMatch(message, /\bat \w+.*:\d+:\d+|undefined|\[object/, `${context}: no stack`);
}
