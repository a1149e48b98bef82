/** The call GetOutput with a pattern: lines of real jobs, their positions and cursors, and refused patterns. */
import assert from "node:assert/strict";
import { all, certificateOf, codeOf, first, startService } from "../../support/service.ts";
import { ran, type Selection } from "./output_fixture.ts";

const ann = certificateOf("ann", "operator");
const decoder = new TextDecoder();

Deno.test("GetOutput with a pattern sends the lines that match, with their positions in each stream", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const id = await ran(calls, "printf 'one error\\ntwo\\nthree Error\\n'; printf 'bad\\nerror 4' >&2");
  const found = async (selection: Selection) => {
    const messages = await all(calls.GetOutput({ id, follow: false, ...selection }));
    const end = messages.at(-1)?.end;
    assert.equal(end?.stdout_bytes, 26);
    assert.equal(end.status?.state, "STATE_EXITED");
    return messages.slice(0, -1).map(({ stream, offset, data }) => [stream, offset, decoder.decode(data)])
      .sort().reverse();
  };
  assert.deepEqual(await found({ grep: "error" }), [
    ["STREAM_STDOUT", 0, "one error\n"],
    ["STREAM_STDERR", 4, "error 4"],
  ]);
  assert.deepEqual(await found({ grep: "ERROR$", grep_ignore_case: true }), [
    ["STREAM_STDOUT", 14, "three Error\n"],
    ["STREAM_STDOUT", 0, "one error\n"],
  ]);
  assert.deepEqual(await found({ grep: "e", stream: "STREAM_STDOUT", tail_lines: 1 }), [
    ["STREAM_STDOUT", 14, "three Error\n"],
  ]);
  assert.deepEqual(await found({ grep: "nothing" }), []);
});

Deno.test("GetOutput with a pattern follows a job, and sends its place with heartbeats", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const { id } = await calls.Register({
    command: "sh",
    args: ["-c", "read go; echo yes 1; echo no; echo yes 2"],
    input: true,
  });
  const messages = calls.GetOutput({ id, grep: "yes", heartbeat_ms: 1_000 })[Symbol.asyncIterator]();
  const heartbeat = (await messages.next()).value;
  assert.deepEqual([heartbeat.data.length, heartbeat.end], [0, null]);
  await first(calls.Start({ id }));
  await calls.Input((async function* () {
    yield { id, data: new TextEncoder().encode("go\n"), end: true };
  })());
  const texts: string[] = [];
  for (let next = await messages.next(); next.value.end === null; next = await messages.next()) {
    if (next.value.data.length > 0) texts.push(decoder.decode(next.value.data));
  }
  assert.equal(texts.join(""), "yes 1\nyes 2\n");
});

Deno.test("GetOutput with a pattern continues after each cursor, and a search's cursor is refused without one", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const id = await ran(calls, "for i in 1 2 3 4; do echo match $i; echo other; done");
  const messages = await all(calls.GetOutput({ id, grep: "match" }));
  const texts = (list: typeof messages) => list.map(({ data }) => decoder.decode(data)).join("");
  assert.equal(texts(messages), "match 1\nmatch 2\nmatch 3\nmatch 4\n");
  for (const [index, { cursor }] of messages.entries()) {
    const rest = await all(calls.GetOutput({ id, grep: "match", cursor }));
    assert.equal(texts(rest), texts(messages.slice(index + 1)));
  }
  const { cursor } = messages[0]!;
  assert.equal(await codeOf(() => all(calls.GetOutput({ id, cursor }))), "INVALID_CURSOR");
  for (const wrong of ["x~0~0", `${cursor}~0`, "~-1~0"]) {
    const code = await codeOf(() => all(calls.GetOutput({ id, grep: "match", cursor: wrong })));
    assert.match(code, /INVALID_CURSOR|INVALID_ARGUMENT/, wrong);
  }
});

Deno.test("GetOutput refuses a pattern that RE2 cannot read, after the permission", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const id = await ran(calls, "echo hello");
  for (const grep of ["(", "a{2000}", "x".repeat(2_000), "(?=a)"]) {
    assert.equal(await codeOf(() => all(calls.GetOutput({ id, grep }))), "INVALID_ARGUMENT");
  }
  assert.equal(await codeOf(() => all(calls.GetOutput({ id: "none", grep: "(" }))), "JOB_NOT_FOUND");
});
