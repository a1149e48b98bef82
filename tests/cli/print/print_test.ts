/** Print: the writer to stdout and stderr. */
import assert from "node:assert/strict";
import { BrokenPipeError, createPrint } from "../../../cli/print/print.ts";
import { FakeIo } from "../../support/fake_io.ts";
import { someBytes } from "../../support/random.ts";

Deno.test("Print.bytes() writes all bytes when the file takes few at a time", async () => {
  const io = new FakeIo();
  io.stdout.maxBytesAWrite = 3;
  const data = someBytes(1000);
  await createPrint(io, {}).bytes("stdout", data);
  assert.deepEqual(io.stdout.bytes, data);
});

Deno.test("Print.bytes() writes nothing for an empty array", async () => {
  const io = new FakeIo();
  await createPrint(io, {}).bytes("stderr", new Uint8Array());
  assert.equal(io.stderr.chunks.length, 0);
});

Deno.test("Print.line() and .jsonLine() go to stdout, .note() to stderr", async () => {
  const io = new FakeIo();
  const print = createPrint(io, {});
  await print.line("a");
  await print.jsonLine({ a: "ä\n" });
  await print.note("Not \x1b[2Jgood");
  assert.equal(io.stdout.text, `a\n{"a":"ä\\n"}\n`);
  assert.equal(io.stderr.text, "teleport: Not \\x1b[2Jgood\n");
});

Deno.test("Print distinguishes a closed reader from a full disk", async () => {
  const io = new FakeIo();
  const print = createPrint(io, {});
  io.stdout.failure = new Deno.errors.BrokenPipe("Broken pipe");
  await assert.rejects(print.line("a"), BrokenPipeError);
  io.stdout.failure = new Error("No space left on device");
  await assert.rejects(print.line("a"), (error) => {
    assert.ok(error instanceof Error && !(error instanceof BrokenPipeError));
    assert.equal(error.message, "Cannot write to the standard output: No space left on device");
    return true;
  });
  io.stderr.failure = new Error("x");
  await assert.rejects(print.bytes("stderr", new Uint8Array(1)), /Cannot write to the standard error output: x/);
});

Deno.test("Print writes all bytes to a file that another program made non-blocking", async () => {
  const io = new FakeIo();
  io.stdout.maxBytesAWrite = 400;
  const write = io.stdout.write.bind(io.stdout);
  let count = 0;
  io.stdout.write = (data) => {
    count += 1;
    return count % 2 === 1 ? Promise.reject(new Deno.errors.WouldBlock("x")) : write(data);
  };
  const data = someBytes(1000);
  await createPrint(io, {}).bytes("stdout", data);
  assert.deepEqual(io.stdout.bytes, data);
  assert.equal(count, 6);
});

Deno.test("Print fails when a non-blocking file has no room for a large write, because a part may be written", async () => {
  const io = new FakeIo();
  io.stdout.failure = new Deno.errors.WouldBlock("x");
  await assert.rejects(
    createPrint(io, {}).bytes("stdout", someBytes(65_536)),
    /^Error: Cannot write to the standard output: another program made it non-blocking: redirect it to a file$/,
  );
});

const styles: [string, boolean, Record<string, string>, boolean, boolean][] = [
  ["on a terminal", true, {}, false, true],
  ["not in a pipe", false, {}, false, false],
  ["not with NO_COLOR", true, { NO_COLOR: "1" }, false, false],
  ["with an empty NO_COLOR", true, { NO_COLOR: "" }, false, true],
  ["not on a dumb terminal", true, { TERM: "dumb" }, false, false],
  ["on a terminal that has a name", true, { TERM: "xterm" }, false, true],
  ["not in JSON", true, {}, true, false],
];
for (const [what, terminal, env, json, coloured] of styles) {
  Deno.test(`Print.styled() colours ${what}`, () => {
    const io = new FakeIo();
    io.stdout.terminal = terminal;
    assert.equal(
      createPrint(io, env, json ? { encode: String } : {}).styled("red", "text"),
      coloured ? "\x1b[31mtext\x1b[39m" : "text",
    );
  });
}
