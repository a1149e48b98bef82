/** The files that an administrator writes: read exactly, or refused. */
import assert from "node:assert/strict";
import { StartError } from "../../teleportd/start_error.ts";
import { readSettings } from "../../teleportd/settings_file.ts";
import { tempDir } from "../support/temp_dir.ts";

Deno.test("readSettings() skips a byte order mark and refuses a file that is not UTF-8", async () => {
  await using temporary = await tempDir();
  const directory = temporary.path;
  const path = `${directory}/policy.json`;
  const text = '{"comment": "\u00e9"}';
  for (const begin of [[], [0xef, 0xbb, 0xbf]]) {
    await Deno.writeFile(path, new Uint8Array([...begin, ...new TextEncoder().encode(text)]));
    assert.equal(await readSettings("policy file", path), text);
  }
  await Deno.writeFile(path, new Uint8Array([0x22, 0xe9, 0x22]));
  await assert.rejects(
    readSettings("policy file", path),
    (error) =>
      error instanceof StartError && error.message === `Cannot read the policy file "${path}": it is not valid UTF-8`,
  );
  await Deno.remove(path);
  await assert.rejects(readSettings("policy file", path), {
    message: /^Cannot read the policy file ".*": no such file or directory \(ENOENT\)$/,
  });
});
