/** Tests of the search for duplicate keys in a JSON text. */
import assert from "node:assert/strict";
import { findDuplicateKey } from "../../text/duplicate_key.ts";

Deno.test("findDuplicateKey() returns the object and the key that it has twice", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['{"a":1,"a":2}', "", "a"],
    ['{"a":1,"\\u0061":2}', "", "a"],
    ['{"max":{"pids":1,"cpus":2,"pids":1}}', "max", "pids"],
    ['{"roles":{"r":[{"x":[]},{"calls":[],"calls":[]}]}}', "roles.r[1]", "calls"],
    ['[[1,{"":0,"":0}]]', "[0][1]", ""],
    ['{"a":{"b":1},"c":2,"a":3}', "", "a"],
    ['{"__proto__":1,"__proto__":2}', "", "__proto__"],
    ['{"a":"}{","a":1}', "", "a"],
  ];
  for (const [json, at, key] of cases) {
    JSON.parse(json);
    assert.deepEqual(findDuplicateKey(json), { at, key }, json);
  }
});

Deno.test("findDuplicateKey() returns undefined for texts without a duplicate", () => {
  const texts = [
    "1",
    '"a"',
    "[]",
    '{"a":"a","b":"a"}',
    '{"a":{"a":{"a":[{"a":1},{"a":1}]}}}',
    '{"a":"\\"a\\":1,","b":"\\\\"}',
    '["a","a"]',
    '{"a":["a","a"],"b":["a"]}',
  ];
  for (const json of texts) {
    JSON.parse(json);
    assert.equal(findDuplicateKey(json), undefined, json);
  }
});

Deno.test("findDuplicateKey() reads a megabyte in a string, and in small objects", () => {
  const long = JSON.stringify({ a: '\\"x'.repeat(300_000), b: 1 });
  assert.equal(findDuplicateKey(long), undefined);
  const many = JSON.stringify(Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`k${index}`, {}])));
  assert.equal(findDuplicateKey(many), undefined);
  assert.deepEqual(findDuplicateKey(`${many.slice(0, -1)},"k0":1}`), { at: "", key: "k0" });
});
