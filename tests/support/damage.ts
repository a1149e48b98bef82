/** Damages copies of files at random, and shows what may come of it: the truth, or a refusal with a sentence. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Random as Numbers } from "./random.ts";

/** A number from 0 up to, not including, `below`. */
export type Random = (below: number) => number;

/** The numbers of a seed. */
export function randomOf(seed: number): Random {
  const numbers = new Numbers(seed);
  return (below) => numbers.below(below);
}

const PAGE_BYTES = 4_096;

/** The ways in which disks fail. Each changes the bytes, and may return others. */
const WAYS: Readonly<Record<string, (bytes: Uint8Array, random: Random) => Uint8Array>> = {
  "a flipped bit": (bytes, random) => {
    const at = random(bytes.length);
    bytes[at] = bytes[at]! ^ (1 << random(8));
    return bytes;
  },
  "a hundred flipped bits": (bytes, random) => {
    for (let count = 0; count < 100; count++) bytes[random(bytes.length)]! ^= 1 << random(8);
    return bytes;
  },
  "a truncated file": (bytes, random) => bytes.subarray(0, random(bytes.length)),
  "a page of zeros": (bytes, random) => {
    const from = PAGE_BYTES * random(Math.ceil(bytes.length / PAGE_BYTES));
    return bytes.fill(0, from, from + PAGE_BYTES);
  },
  "a page of another place": (bytes, random) => {
    const pages = Math.ceil(bytes.length / PAGE_BYTES);
    const from = PAGE_BYTES * random(pages);
    bytes.copyWithin(PAGE_BYTES * random(pages), from, from + PAGE_BYTES);
    return bytes;
  },
  "a page of noise": (bytes, random) => {
    const from = PAGE_BYTES * random(Math.ceil(bytes.length / PAGE_BYTES));
    for (let at = from; at < Math.min(bytes.length, from + PAGE_BYTES); at++) bytes[at] = random(256);
    return bytes;
  },
};

/**
 * Damages one file in one way.
 *
 * @returns the way, for the message of a failure
 */
export function damageFile(path: string, random: Random): string {
  const bytes = Deno.readFileSync(path);
  if (bytes.length === 0) return "an empty file";
  const names = Object.keys(WAYS);
  // One bit is what nobody notices: half of all cases.
  const name = random(2) === 0 ? names[0]! : names[random(names.length)]!;
  Deno.writeFileSync(path, WAYS[name]!(bytes, random));
  return name;
}

/** The files below a directory, in the same order everywhere. */
export function filesBelow(directory: string): string[] {
  return [...Deno.readDirSync(directory)].sort((a, b) => a.name < b.name ? -1 : 1).flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(join(directory, name)) : [join(directory, name)]
  );
}

/** Copies a directory with all below it. */
export function copyDirectory(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) copyDirectory(join(from, name), join(to, name));
    else Deno.copyFileSync(join(from, name), join(to, name));
  }
}

/** Fails unless the error is one of those that say in a sentence what is wrong. */
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
