/** Tests of cli/standard_files.ts: which files are read and written at once. */
import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { standardInput, standardOutput } from "../../cli/standard_files.ts";
import { tempDir } from "../support/temp_dir.ts";

/** A file that records how it is used. */
class RecordingFile {
  readonly uses: string[] = [];

  isTerminal(): boolean {
    return false;
  }

  write({ length }: Uint8Array): Promise<number> {
    this.uses.push(`write ${length}`);
    return Promise.resolve(length);
  }

  writeSync({ length }: Uint8Array): number {
    this.uses.push(`writeSync ${length}`);
    return length;
  }

  read({ length }: Uint8Array): Promise<number> {
    this.uses.push(`read ${length}`);
    return Promise.resolve(length);
  }

  readSync({ length }: Uint8Array): number {
    this.uses.push(`readSync ${length}`);
    return length;
  }
}

/** Writes and reads through the file with this path. Returns how that was done. */
async function usesOf(descriptor: number): Promise<string[]> {
  const file = new RecordingFile();
  const output = standardOutput(file, descriptor);
  for (const length of [10, 65_536]) assert.equal(await output.write(new Uint8Array(length)), length);
  assert.equal(await standardInput(file, descriptor).read(new Uint8Array(10)), 10);
  return file.uses;
}

async function usesOfPath(path: string): Promise<string[]> {
  const descriptor = openSync(path, "r+");
  try {
    return await usesOf(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

Deno.test("standardOutput() and standardInput() use a regular file at once", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/file`;
  await Deno.writeTextFile(path, "");
  assert.deepEqual(await usesOfPath(path), ["write 10", "writeSync 65536", "readSync 10"]);
});

Deno.test("standardOutput() and standardInput() use /dev/null at once", async () => {
  assert.deepEqual(await usesOfPath("/dev/null"), ["write 10", "writeSync 65536", "readSync 10"]);
});

Deno.test("standardOutput() and standardInput() wait for other files on another thread", async () => {
  const waiting = ["write 10", "write 65536", "read 10"];
  assert.deepEqual(await usesOfPath("/dev/full"), waiting);
  await using dir = await tempDir();
  const path = `${dir.path}/pipe`;
  await new Deno.Command("mkfifo", { args: [path] }).output();
  assert.deepEqual(await usesOfPath(path), waiting);
});

Deno.test("standardOutput() and standardInput() leave the error of a closed file to the file", async () => {
  assert.deepEqual(await usesOf(9_999), ["write 10", "write 65536", "read 10"]);
});
