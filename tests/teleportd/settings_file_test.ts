/** Files that an administrator writes: read exactly, or refused. */
import assert from "node:assert/strict";
import { StartError } from "../../teleportd/start_error.ts";
import { readSettings } from "../../teleportd/settings_file.ts";

Deno.test("readSettings() passes over a byte order mark, and refuses what is not UTF-8", async () => {
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
  const path = `${directory}/policy.json`;
  const text = '{"comment": "\u00e9"}';
  for (const begin of [[], [0xef, 0xbb, 0xbf]]) {
    await Deno.writeFile(path, new Uint8Array([...begin, ...new TextEncoder().encode(text)]));
    assert.equal(await readSettings("Policy file", path), text);
  }
  await Deno.writeFile(path, new Uint8Array([0x22, 0xe9, 0x22]));
  await assert.rejects(
    readSettings("Policy file", path),
    (error) =>
      error instanceof StartError && error.message === `Policy file "${path}" cannot be read: it is not valid UTF-8`,
  );
  await Deno.remove(directory, { recursive: true });
  await assert.rejects(readSettings("Policy file", path), {
    message: /^Policy file ".*" cannot be read: No such file/,
  });
});
