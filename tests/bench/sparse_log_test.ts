/** A log with holes is a log of the library: a supervisor reads it as the output of an ended job. */
import assert from "node:assert/strict";
import { addSparseJob } from "../../bench/growth/sparse_log.ts";
import { Supervisor } from "../../mod.ts";
import { tempDir } from "../support/temp_dir.ts";

Deno.test("addSparseJob() makes output that a supervisor reads from the first byte to the last lines", async () => {
  await using directory = await tempDir();
  const { id, bytes } = addSparseJob(directory.path, 1_000_000);
  assert.equal(bytes, 1_000_000);

  await using supervisor = new Supervisor({ directory: directory.path });
  const status = await supervisor.status(id);
  assert.equal(status.state, "EXITED");
  assert.equal(status.stdoutBytes, bytes);
  let read = 0;
  let last = new Uint8Array();
  for await (const { data } of supervisor.watchOutput(id)) {
    read += data.length;
    if (data.length > 0) last = data.slice();
  }
  assert.equal(read, bytes);
  assert.match(new TextDecoder().decode(last.slice(-80)), /^a line of output such as programs write\n/);
});

Deno.test("addSparseJob() stores no payloads, so a large log takes a small part of its size", async () => {
  await using directory = await tempDir();
  const { id } = addSparseJob(directory.path, 20_000_000);
  const files = [...Deno.readDirSync(`${directory.path}/output/${id}`)];
  const [{ blocks, size }] = files.map(({ name }) => Deno.statSync(`${directory.path}/output/${id}/${name}`)) as [
    Deno.FileInfo,
  ];
  assert.ok(size > 20_000_000);
  assert.ok((blocks ?? 0) * 512 < size / 4, `${blocks} blocks of 512 bytes for ${size} bytes`);
});
