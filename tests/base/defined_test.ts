/** Tests of `defined()`. */
import assert from "node:assert/strict";
import { defined } from "../../base/defined.ts";

Deno.test("defined() keeps every value except undefined", () => {
  const absent: string | undefined = undefined;
  assert.deepEqual(defined({ absent, none: null, zero: 0, empty: "", no: false }), {
    none: null,
    zero: 0,
    empty: "",
    no: false,
  });
});

Deno.test("defined() leaves out the key of an undefined value", () => {
  const absent: string | undefined = undefined;
  assert.deepEqual(Object.keys({ kept: 1, ...defined({ absent }) }), ["kept"]);
});
