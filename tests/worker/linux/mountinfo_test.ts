/** Tests of paths in mount tables. */
import assert from "node:assert/strict";
import { decodeMountPath } from "../../../worker/linux/mountinfo.ts";

Deno.test("decodeMountPath() decodes octal characters", () => {
  assert.equal(decodeMountPath("/plain"), "/plain");
  assert.equal(decodeMountPath("/a\\040b\\011c\\012d\\134e"), "/a b\tc\nd\\e");
});
