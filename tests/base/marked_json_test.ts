/** Tests the JSON of dates and bytes. */
import assert from "node:assert/strict";
import { fromMarkedJson, toMarkedJson } from "../../base/marked_json.ts";

const marked = { at: new Date(1_700_000_000_123), digest: Uint8Array.of(0, 255, 7), list: [{ at: new Date(0) }, []] };

Deno.test("fromMarkedJson() returns the dates and bytes that toMarkedJson() marked", () => {
  for (const options of [{}, { plainBytes: true }]) {
    assert.deepEqual(fromMarkedJson(toMarkedJson(marked, options), options), marked);
  }
  assert.equal(toMarkedJson({ d: Uint8Array.of(1) }, { plainBytes: true }), '{"d":{"$bytes":"AQ=="}}');
});

Deno.test("fromMarkedJson() leaves values of users unchanged when they look like marks", () => {
  const labels = JSON.parse('{"$date":"5","$bytes":"AQ==","__proto__":"x","toJSON":"y","constructor":"z"}');
  const value = { at: new Date(1), labels, env: { $bytes: "AQ==" }, args: ['{"$date":5}', "$date", "\ud800"] };
  assert.deepEqual(fromMarkedJson(toMarkedJson(value)), value);
  assert.ok(Object.hasOwn((fromMarkedJson(toMarkedJson(value)) as typeof value).labels, "__proto__"));
});

Deno.test("fromMarkedJson() reads texts with bytes of both forms", () => {
  // Databases have the plain form, and specs in them may have a label "$bytes".
  assert.deepEqual(fromMarkedJson('{"a":{"$bytes":"AQ=="}}'), { a: { $bytes: "AQ==" } });
  assert.deepEqual(fromMarkedJson('{"a":{"$bytes":"AQ=="}}', { plainBytes: true }), { a: Uint8Array.of(1) });
  assert.throws(() => fromMarkedJson('{"a":{"$bytes":["!"]}}'), SyntaxError);
});
