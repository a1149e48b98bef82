/** `teleport logs`: both streams, JSON, altered and dropped output. */
import assert from "node:assert/strict";
import { exited, outputOf } from "../../support/cli_messages.ts";
import { FakeCallError, FakeIo, teleport } from "../../support/fake_io.ts";
import { stream } from "../../support/streams.ts";
import { someBytes } from "../../support/random.ts";

for (const [args, follow] of [[["logs"], false], [["logs", "-f"], true], [["logs", "--follow"], true]] as const) {
  Deno.test(`teleport ${args.join(" ")} writes each stream to its own descriptor unchanged`, async () => {
    const out = someBytes(1000);
    const messages = await outputOf([["stdout", out], ["stderr", "e\0\n"], ["stdout", "no newline"]], exited(7));
    const asked: unknown[] = [];
    const io = new FakeIo({
      GetOutput: (request) => {
        asked.push(request);
        return stream(...messages);
      },
    });
    assert.equal(await teleport(io, ...args, "job-1"), 0);
    assert.deepEqual(asked, [{ id: "job-1", follow, ...(follow ? { heartbeat_ms: 30_000 } : {}) }]);
    assert.deepEqual(io.stdout.bytes, new Uint8Array([...out, ...new TextEncoder().encode("no newline")]));
    assert.equal(io.stderr.text, "e\0\n");
  });
}

Deno.test("teleport logs --output json prints chunks and the summary, one per line", async () => {
  const messages = await outputOf([["stderr", "hi"]], exited(0));
  const io = new FakeIo({ GetOutput: () => stream(...messages) });
  assert.equal(await teleport(io, "logs", "--output", "json", "job-1"), 0);
  const [chunk, end] = io.stdout.text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual([chunk.stream, atob(chunk.data)], ["STDERR", "hi"]);
  assert.equal(end.end.stderr_bytes, 2);
  assert.equal(io.stderr.text, "");
});

Deno.test("teleport logs fails when the output was altered", async () => {
  const [chunk, end] = await outputOf([["stdout", "hi"]], exited(0));
  const io = new FakeIo({ GetOutput: () => stream({ ...chunk!, data: new TextEncoder().encode("ho") }, end!) });
  assert.equal(await teleport(io, "logs", "job-1"), 1);
  assert.match(io.stderr.text, /^teleport: Output was altered on its way/);
});

Deno.test("teleport logs reports dropped bytes", async () => {
  const [end] = await outputOf([], exited(0));
  const io = new FakeIo({ GetOutput: () => stream({ ...end!, end: { ...end!.end!, dropped_bytes: 5 } }) });
  assert.equal(await teleport(io, "logs", "job-1"), 0);
  assert.match(io.stderr.text, /log of this output lacks 5 bytes: an output limit or a full disk dropped them/);
});

Deno.test("teleport logs prints a note at a gap, and the output after it", async () => {
  const [, second, end] = await outputOf([["stdout", "old"], ["stdout", "new"]], exited(0));
  const gap = { ...second!, data: new Uint8Array(), dropped_bytes: 3 };
  const io = new FakeIo({ GetOutput: () => stream(gap, second!, end!) });
  assert.equal(await teleport(io, "logs", "job-1"), 0);
  assert.equal(io.stdout.text, "new");
  assert.equal(io.stderr.text, "teleport: 3 bytes of stdout are missing here: its output limit dropped them\n");
});

Deno.test("teleport logs --grep lets the server search, and prints a line once that comes again after an outage", async () => {
  const [one, two, end] = await outputOf([["stdout", "match 1\n"], ["stdout", "match 2\n"]], exited(0));
  const later = { ...two!, offset: 500, cursor: "c2~e8~0" };
  const asked: unknown[] = [];
  const answers = [
    [{ ...one!, offset: 100, cursor: "c1~2s~0" }, { ...later, cursor: "" }, new FakeCallError("UNAVAILABLE")],
    [later, end!],
  ];
  const io = new FakeIo({
    async *GetOutput(request) {
      asked.push(request);
      for (const message of answers.shift() ?? []) {
        if (message instanceof Error) throw message;
        yield await Promise.resolve(message);
      }
    },
  });
  assert.equal(await teleport(io, "logs", "-f", "--offsets", "--ignore-case", "--grep", "MATCH", "job-1"), 0);
  assert.equal(io.stdout.text, "100:match 1\n500:match 2\n");
  const common = { id: "job-1", follow: true, grep: "MATCH", grep_ignore_case: true, heartbeat_ms: 30_000 };
  assert.deepEqual(asked, [common, { ...common, cursor: "c1~2s~0" }]);
  for (const wrong of [["--grep", ""], ["--ignore-case"]]) {
    assert.equal(await teleport(new FakeIo(), "logs", ...wrong, "job-1"), 2);
  }
});

Deno.test("teleport logs -f says on standard error that the job is LOST, and why", async () => {
  const lost = { ...exited(0), state: "STATE_LOST" as const, error: "The job host died" };
  const messages = await outputOf([["stdout", "hi"]], lost);
  for (const [args, said] of [[["-f"], /^teleport: Job "job-1" is LOST: The job host died\n$/], [[], /^$/]] as const) {
    const io = new FakeIo({ GetOutput: () => stream(...messages) });
    assert.equal(await teleport(io, "logs", ...args, "job-1"), 0);
    assert.equal(io.stdout.text, "hi");
    assert.match(io.stderr.text, said);
  }
});
