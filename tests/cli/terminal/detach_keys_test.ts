/** The keys that leave a job: whatever chunks they come in, and however long they take. */
import assert from "node:assert/strict";
import { DetachFilter } from "../../../cli/terminal/detach_filter.ts";
import { DEFAULT_DETACH_KEYS, detachKeysText, parseDetachKeys } from "../../../cli/terminal/detach_keys.ts";
import { UsageError } from "../../../units/usage_error.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Filters a text in chunks of a size. Gives what the job gets, and whether the user leaves. */
function filter(text: string, size: number, keys = DEFAULT_DETACH_KEYS): [string, boolean] {
  const filter = new DetachFilter(parseDetachKeys(keys));
  const got: number[] = [];
  let leaves = false;
  const all = bytes(text);
  for (let at = 0; at < all.length; at += size) {
    const { data, isLeaving } = filter.filter(all.subarray(at, at + size));
    got.push(...data);
    leaves = isLeaving;
  }
  return [new TextDecoder().decode(new Uint8Array([...got, ...filter.end()])), leaves];
}

const cases: readonly [text: string, job: string, leaves: boolean, keys?: string][] = [
  ["", "", false],
  ["ls\r", "ls\r", false],
  ["ls\r\x10\x11rest", "ls\r", true],
  ["\x10\x10\x11", "\x10", true],
  ["\x10a", "\x10a", false],
  ["\x10", "\x10", false],
  ["\x11\x10", "\x11\x10", false],
  ["~.", "", true],
  ["ls\r~.rest", "ls\r", true],
  ["ls\n~.", "ls\n", true],
  ["ls~.", "ls~.", false],
  ["ls\r~~.", "ls\r~.", false],
  ["~~\r~~x", "~\r~x", false],
  ["~\r~.", "~\r", true],
  ["~", "~", false],
  ["~\x10\x11", "~", true],
  ["\r~\x10x", "\r~\x10x", false],
  ["\x10\r~.", "\x10\r", true],
  ["aab", "", true, "a,a,b"],
  ["aaab", "a", true, "a,a,b"],
  ["aac", "aac", false, "a,a,b"],
  ["ababac", "ab", true, "a,b,a,c"],
  ["é\r~.", "é\r", true],
];

for (const [text, job, leaves, keys] of cases) {
  Deno.test(`DetachFilter of ${keys ?? "the default keys"} gives the job ${JSON.stringify(job)} of ${JSON.stringify(text)}`, () => {
    for (const size of [1, 2, 3, 1_000]) assert.deepEqual(filter(text, size, keys), [job, leaves], `chunks of ${size}`);
  });
}

Deno.test("parseDetachKeys() takes the keys that docker takes, and shows them", () => {
  assert.deepEqual([...parseDetachKeys("ctrl-p,ctrl-q")], [0x10, 0x11]);
  assert.deepEqual([...parseDetachKeys("ctrl-A,d")], [1, 0x64]);
  assert.deepEqual([...parseDetachKeys("ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_")], [
    0,
    0x1b,
    0x1c,
    0x1d,
    0x1e,
    0x1f,
  ]);
  assert.equal(parseDetachKeys("none").length, 0);
  assert.equal(detachKeysText(parseDetachKeys("ctrl-p,d")), "Ctrl-P d");
});

for (const text of ["", ",", "ctrl-", "ctrl-1", "ab", "ctrl-p,", "é", "\x10", "None", "a,".repeat(16) + "a"]) {
  Deno.test(`parseDetachKeys() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseDetachKeys(text), UsageError);
  });
}
