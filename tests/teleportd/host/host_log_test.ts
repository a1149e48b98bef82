/** Tests for the log file of a job host: its size, and a disk that refuses a new file. */
import assert from "node:assert/strict";
import { HostLogFile } from "../../../teleportd/host/host_log.ts";
import { tempDir } from "../../support/temp_dir.ts";

const LINE = new TextEncoder().encode("0123456789\n");

function sizesIn(directory: string): Record<string, number> {
  const names = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  return Object.fromEntries(names.map((name) => [name, Deno.statSync(`${directory}/${name}`).size]));
}

Deno.test("HostLogFile begins a new file at its size, keeps one older file, and continues a file that is there", async () => {
  await using dir = await tempDir();
  const opened: string[] = [];
  for (let count = 0; count < 2; count++) {
    using file = new HostLogFile(dir.path, (path) => void opened.push(path), 20);
    for (let line = 0; line < 3; line++) await file.write(LINE);
  }
  assert.deepEqual(sizesIn(dir.path), { "host.log": 22, "host.log.1": 22 });
  assert.deepEqual(opened, [`${dir.path}/host.log`, `${dir.path}/host.log`]);
});

Deno.test("HostLogFile writes again when the disk had no room for a new file and has room now", async () => {
  await using dir = await tempDir();
  using file = new HostLogFile(dir.path, () => {}, 10);
  await file.write(LINE);
  const original = Deno.openSync;
  Deno.openSync = () => {
    throw Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
  };
  try {
    for (let line = 0; line < 2; line++) await assert.rejects(file.write(LINE), { code: "ENOSPC" });
  } finally {
    Deno.openSync = original;
  }
  await file.write(LINE);
  assert.deepEqual(sizesIn(dir.path), { "host.log": 11, "host.log.1": 11 });
});
