/** Tests of the identity of a file. */
import assert from "node:assert/strict";
import { FileIdentity } from "../../base/file_identity.ts";
import { tempDir } from "../support/temp_dir.ts";

Deno.test("isThere is false while a file or its directory is away, and when another one has its name", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(`${dir.path}/a`);
  await Deno.writeTextFile(`${dir.path}/a/file`, "x");
  const identity = new FileIdentity(`${dir.path}/a/file`);
  assert.equal(identity.isThere, true);
  await Deno.rename(`${dir.path}/a`, `${dir.path}/b`);
  assert.equal(identity.isThere, false);
  await Deno.mkdir(`${dir.path}/a`);
  await Deno.writeTextFile(`${dir.path}/a/file`, "x");
  assert.equal(identity.isThere, false);
  await Deno.remove(`${dir.path}/a`, { recursive: true });
  await Deno.writeTextFile(`${dir.path}/a`, "a file");
  assert.equal(identity.isThere, false);
  await Deno.remove(`${dir.path}/a`);
  await Deno.rename(`${dir.path}/b`, `${dir.path}/a`);
  assert.equal(identity.isThere, true);
});
