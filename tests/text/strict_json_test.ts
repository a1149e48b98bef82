/** Tests of the strict JSON reader. */
import assert from "node:assert/strict";
import {
  JsonFormError,
  parseJson,
  readFields,
  readList,
  readObject,
  readOptional,
  readString,
  readStrings,
} from "../../text/strict_json.ts";

function failsAt(at: string, reason: RegExp, read: () => unknown): void {
  assert.throws(read, (error) => {
    assert.ok(error instanceof JsonFormError);
    const place = at === "" ? "" : `at "${at}": `;
    assert.ok(error.message.startsWith(place));
    assert.match(error.message.slice(place.length), reason);
    return true;
  });
}

Deno.test("parseJson() refuses what is not JSON, or too long", () => {
  assert.deepEqual(parseJson('{"a": [1]}', 10), { a: [1] });
  failsAt("", /^it is not JSON: [^\n]+$/, () => parseJson("{\n\n", 10));
  failsAt("", /^it is too long: give at most 3 characters$/, () => parseJson("1234", 3));
});

Deno.test("parseJson() refuses an object with a field twice", () => {
  failsAt("", /^field "a" appears twice: keep one of them$/, () => parseJson('{"a":1,"a":1}', 100));
  failsAt("max", /^field "pids" appears twice/, () => parseJson('{"max":{"pids":1,"pids":2}}', 100));
});

Deno.test("readString(), readList() and readObject() refuse other types", () => {
  assert.equal(readString("a", "x"), "a");
  assert.deepEqual(readList([1], "x"), [1]);
  assert.deepEqual(readObject({ a: 1 }, "x"), { a: 1 });
  for (const value of [undefined, null, 1, true]) {
    failsAt("x", /^give a string in quotes$/, () => readString(value, "x"));
    failsAt("x", /^give a list in brackets$/, () => readList(value, "x"));
    failsAt("x", /^give an object in braces$/, () => readObject(value, "x"));
  }
  failsAt("x", /object/, () => readObject([], "x"));
  failsAt("x", /list/, () => readList({ length: 0 }, "x"));
});

Deno.test("readStrings() names the item that is not a string", () => {
  assert.deepEqual(readStrings(["a", "b"], "x"), ["a", "b"]);
  failsAt("x[1]", /string/, () => readStrings(["a", 2], "x"));
});

Deno.test("readFields() refuses unknown and missing fields", () => {
  const known = { name: true, size: false, comment: false };
  assert.deepEqual(readFields({ name: "a" }, "x", known), { name: "a" });
  failsAt("x", /^unknown field "nmae": give "name", "size"$/, () => readFields({ name: 1, nmae: 2 }, "x", known));
  failsAt("x", /^field "name" is missing$/, () => readFields({ size: 1 }, "x", known));
  failsAt("x", /unknown field "__proto__"/, () => readFields(JSON.parse('{"__proto__": 1, "name": 2}'), "x", known));
});

Deno.test("readOptional() reads a field at its path, and returns undefined without it", () => {
  const read = (value: unknown, at: string) => `${at}=${value}`;
  assert.equal(readOptional({ a: 1 }, "a", "", read), "a=1");
  assert.equal(readOptional({ a: 1 }, "a", "x", read), "x.a=1");
  assert.equal(readOptional({ a: null }, "a", "x", read), "x.a=null");
  assert.equal(readOptional({}, "a", "x", read), undefined);
});
