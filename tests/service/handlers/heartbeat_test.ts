/** Heartbeats and first cursors of GetOutput. */
import assert from "node:assert/strict";
import type { JobOutput } from "../../../proto/teleport/v1/job_worker.ts";
import { all, certificateOf, first, startService } from "../../support/service.ts";
import { output, ran, received } from "./output_fixture.ts";

const ann = certificateOf("ann", "operator");

Deno.test("GetOutput sends heartbeats with the current cursor while a job is quiet", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const { id } = await calls.Register({ command: "sh", args: ["-c", "echo up; exec sleep 1000"] });
  await first(calls.Start({ id }));
  const messages = calls.GetOutput({ id, heartbeat_ms: 1_000 })[Symbol.asyncIterator]();
  const start = (await messages.next()).value as JobOutput;
  assert.deepEqual([start.data.length, start.stream, start.cursor], [0, "STREAM_UNSPECIFIED", "0.0.0"]);
  // A heartbeat may come before the job has written.
  let up: JobOutput;
  do up = (await messages.next()).value as JobOutput; while (up.data.length === 0);
  const beat = (await messages.next()).value as JobOutput;
  assert.deepEqual([beat.data.length, beat.end, beat.stream, beat.cursor], [0, null, "STREAM_UNSPECIFIED", up.cursor]);
  const waiting = messages.next();
  await calls.Stop({ id });
  let last = (await waiting).value as JobOutput;
  // Another heartbeat may come before the end.
  while (last.end === null) last = (await messages.next()).value as JobOutput;
  assert.equal(last.end.status?.state, "STATE_KILLED");
  assert.equal((await messages.next()).done, true);
});

Deno.test("GetOutput refuses an interval of heartbeats out of range", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const id = await ran(calls, "echo hello");
  for (const heartbeat_ms of [1, 999, 3_600_001]) {
    await assert.rejects(first(calls.GetOutput({ id, heartbeat_ms })), {
      code: "INVALID_ARGUMENT",
      message: `'heartbeat_ms' must be an integer from 1000 to 3600000, or 0 for none, got ${heartbeat_ms}`,
    });
  }
  for (const heartbeat_ms of [0, 1_000, 3_600_000]) {
    const messages = await all(calls.GetOutput({ id, heartbeat_ms }));
    assert.equal(received(messages.filter(({ data, end }) => data.length > 0 || end !== null)).stdout, "hello\n");
  }
});

Deno.test("GetOutput sends a first heartbeat with the cursor of the beginning", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const id = await ran(calls, "printf '1\\n22\\n'; sleep 0.05; printf '333\\n'; printf 'e\\n' >&2");
  const whole = await output(calls, id);
  const far = { seconds: Math.floor(Date.now() / 1_000) + 3_600, nanos: 0 };
  for (
    const [selection, stdout] of [
      [{}, "1\n22\n333\n"],
      [{ tail_lines: 0 }, ""],
      [{ tail_bytes: 0 }, ""],
      [{ since: far }, ""],
      [{ cursor: whole.messages[0]!.cursor }, whole.stdout.slice(whole.messages[0]!.data.length)],
    ] as const
  ) {
    const begin = await first(calls.GetOutput({ id, heartbeat_ms: 1_000, ...selection }));
    assert.deepEqual([begin?.data.length, begin?.end], [0, null]);
    assert.equal((await output(calls, id, { cursor: begin?.cursor ?? "" })).stdout, stdout, JSON.stringify(selection));
  }
  // There is no cursor inside a frame, so the data comes at once.
  const tail = await first(calls.GetOutput({ id, heartbeat_ms: 1_000, stream: "STREAM_STDOUT", tail_bytes: 2 }));
  assert.equal(new TextDecoder().decode(tail?.data), "3\n");
});

Deno.test("GetOutput accepts the cursor of the beginning for every log", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const quiet = await ran(calls, "true");
  assert.equal((await output(calls, quiet, { follow: false })).messages[0]?.cursor, "0.0.0");
  const id = await ran(calls, "echo hello");
  assert.equal((await output(calls, id, { cursor: "0.0.0" })).stdout, "hello\n");
});
