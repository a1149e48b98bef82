/** The writer of log lines: what it writes, and what happens when it cannot write. */
import assert from "node:assert/strict";
import { deadline } from "../../support/deadline.ts";
import { LineWriter } from "../../../teleportd/log/line_writer.ts";

const decoder = new TextDecoder();
const lost = (count: number, reason: string) => `lost ${count}: ${reason}`;

/** A file that accepts a limited number of bytes. */
class FakeFile {
  text = "";
  /** The number of bytes that it still accepts. Further writes fail. */
  room = Infinity;
  /** The most bytes of one write. */
  most = Infinity;
  /** Writes wait for this promise. */
  blocked: Promise<void> | undefined;

  async write(bytes: Uint8Array): Promise<number> {
    await this.blocked;
    const count = Math.min(bytes.length, this.room, this.most);
    if (count === 0) throw new Error("No space left on device (os error 28)");
    this.room -= count;
    this.text += decoder.decode(bytes.subarray(0, count));
    return count;
  }
}

/** Adds lines one after another, each when the one before is written or lost. */
async function writeLines(writer: LineWriter, ...texts: string[]): Promise<void> {
  for (const text of texts) {
    writer.write(text);
    await writer.close();
  }
}

Deno.test("LineWriter.write() writes lines whole and in order when the file accepts parts", async () => {
  const file = new FakeFile();
  file.most = 3;
  const writer = new LineWriter(file, lost);
  for (const line of ["one", "two", "three"]) writer.write(line);
  await writer.close();
  assert.equal(file.text, "one\ntwo\nthree\n");
});

Deno.test("LineWriter.write() reports the lines that a full disk lost before the next line", async () => {
  const file = new FakeFile();
  const writer = new LineWriter(file, lost);
  await writeLines(writer, "one");
  file.room = 0;
  await writeLines(writer, "two", "three");
  file.room = Infinity;
  await writeLines(writer, "four", "five");
  assert.equal(file.text, "one\nlost 2: No space left on device (os error 28)\nfour\nfive\n");
});

Deno.test("LineWriter.write() begins a new line after an incomplete line", async () => {
  const file = new FakeFile();
  const writer = new LineWriter(file, lost);
  file.room = 2;
  await writeLines(writer, "torn");
  file.room = Infinity;
  await writeLines(writer, "next");
  assert.equal(file.text, "to\nlost 1: No space left on device (os error 28)\nnext\n");
});

Deno.test("LineWriter.write() keeps a bounded number of lines for a reader that does not read", async () => {
  const file = new FakeFile();
  const { promise, resolve } = Promise.withResolvers<void>();
  file.blocked = promise;
  const writer = new LineWriter(file, lost);
  const line = "x".repeat(999);
  const added = 5_000;
  for (let count = 0; count < added; count++) writer.write(line);
  await deadline(writer.close(), "close(), which waits half a second at most");
  resolve();
  await writeLines(writer, "last");
  const kept = file.text.split("\n").filter((text) => text === line).length;
  assert.ok(kept > 1_000 && kept < 1_100, `${kept} lines kept`);
  const reported = /^lost (\d+): nobody reads it\nlast\n$/m.exec(file.text);
  assert.equal(kept + Number(reported?.[1]), added, file.text.slice(-200));
});

Deno.test("LineWriter.write() repeats a write that would block", async () => {
  const file = new FakeFile();
  const blocked = {
    left: 2,
    write(bytes: Uint8Array) {
      if (this.left-- > 0) return Promise.reject(new Deno.errors.WouldBlock("try again"));
      return file.write(bytes);
    },
  };
  await writeLines(new LineWriter(blocked, lost), "one");
  assert.equal(file.text, "one\n");
});

Deno.test("LineWriter.close() reports the lines that were lost last", async () => {
  const file = new FakeFile();
  const writer = new LineWriter(file, lost);
  writer.write("x".repeat(2_000_000));
  await writer.close();
  assert.equal(file.text, "lost 1: it is too long\n");
  file.room = 0;
  await writeLines(writer, "one");
  file.room = Infinity;
  await writer.close();
  assert.equal(file.text, "lost 1: it is too long\nlost 1: No space left on device (os error 28)\n");
});

Deno.test("LineWriter.write() writes after a close without lines", async () => {
  const file = new FakeFile();
  const writer = new LineWriter(file, lost);
  await writer.close();
  await writeLines(writer, "one");
  assert.equal(file.text, "one\n");
});
