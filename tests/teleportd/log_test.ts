/** The server's log: what it writes, and what it costs when it cannot. */
import assert from "node:assert/strict";
import { ServerLog } from "../../teleportd/log.ts";

const decoder = new TextDecoder();

/** A file that takes what it is told to. */
class FakeFile {
  text = "";
  /** Bytes it still takes; then writes fail. */
  room = Infinity;
  /** Most bytes of one write. */
  most = Infinity;
  /** Writes wait for this. */
  gate: Promise<void> | undefined;

  async write(bytes: Uint8Array): Promise<number> {
    await this.gate;
    const count = Math.min(bytes.length, this.room, this.most);
    if (count === 0) throw new Error("No space left on device (os error 28)");
    this.room -= count;
    this.text += decoder.decode(bytes.subarray(0, count));
    return count;
  }
}

/** Adds lines one after another, each when the one before is written or lost. */
async function lines(log: ServerLog, ...texts: string[]): Promise<void> {
  for (const text of texts) {
    log.line(text);
    await log.close();
  }
}

Deno.test("ServerLog writes lines whole and in order, also in parts", async () => {
  const file = new FakeFile();
  file.most = 3;
  const log = new ServerLog(file);
  log.line("one");
  log.line("two");
  log.line("three");
  await log.close();
  assert.equal(file.text, "one\ntwo\nthree\n");
});

Deno.test("ServerLog counts the lines that a full disk loses, and says so once it can write again", async () => {
  const file = new FakeFile();
  const log = new ServerLog(file);
  await lines(log, "one");
  file.room = 0;
  await lines(log, "two", "three");
  file.room = Infinity;
  await lines(log, "four", "five");
  assert.equal(
    file.text,
    "one\nwarning: 2 lines of this log were lost: No space left on device (os error 28)\nfour\nfive\n",
  );
});

Deno.test("ServerLog begins a new line behind half a line", async () => {
  const file = new FakeFile();
  const log = new ServerLog(file);
  file.room = 2;
  await lines(log, "torn");
  file.room = Infinity;
  await lines(log, "next");
  assert.equal(file.text, "to\nwarning: 1 lines of this log were lost: No space left on device (os error 28)\nnext\n");
});

Deno.test("ServerLog neither waits for a reader nor keeps more than a bounded number of lines for it", async () => {
  const file = new FakeFile();
  const gate = Promise.withResolvers<void>();
  file.gate = gate.promise;
  const log = new ServerLog(file);
  const line = "x".repeat(999);
  const added = 5_000;
  for (let count = 0; count < added; count++) log.line(line);
  const before = performance.now();
  await log.close();
  assert.ok(performance.now() - before < 5_000, "close() waits half a second at most");
  gate.resolve();
  await lines(log, "last");
  const kept = file.text.split("\n").filter((text) => text === line).length;
  assert.ok(kept > 1_000 && kept < 1_100, `${kept} lines kept`);
  const said = /^warning: (\d+) lines of this log were lost: nobody reads it\nlast\n$/m.exec(file.text);
  assert.equal(kept + Number(said?.[1]), added, file.text.slice(-200));
});

Deno.test("ServerLog tries again where a file would block", async () => {
  const file = new FakeFile();
  const blocked = {
    left: 2,
    write(bytes: Uint8Array) {
      if (this.left-- > 0) return Promise.reject(new Deno.errors.WouldBlock("try again"));
      return file.write(bytes);
    },
  };
  const log = new ServerLog(blocked);
  await lines(log, "one");
  assert.equal(file.text, "one\n");
});

Deno.test("ServerLog escapes what steers a terminal, and lets no text look like another line", async () => {
  const file = new FakeFile();
  const log = new ServerLog(file);
  await lines(log, "a\u001b[31mb\u009bc\u202ed\rlistening on x\nlistening on y");
  assert.equal(file.text, "a\\u001b[31mb\\u009bc\\u202ed\\u000dlistening on x\n    listening on y\n");
});
