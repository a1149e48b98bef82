/** Heartbeats and first cursors of GetOutput. */
import assert from "node:assert/strict";
import type { JobWorkerClient } from "../../../proto/service.ts";
import type { JobOutput, OutputEnd } from "../../../proto/teleport/v1/job_worker.ts";
import { all, certificateOf, first, startService } from "../../support/service.ts";

const ann = certificateOf("ann", "operator");
type Selection = Partial<Parameters<JobWorkerClient["GetOutput"]>[0]>;

/** Runs a shell script to its end and returns the id of the job. */
async function ran(calls: JobWorkerClient, script: string): Promise<string> {
  const { id } = await calls.Register({ command: "sh", args: ["-c", script] });
  await all(calls.Start({ id }));
  return id;
}

/** The sum of a stream of output. */
interface Received {
  readonly stdout: string;
  readonly stderr: string;
  readonly end: OutputEnd;
  readonly messages: readonly JobOutput[];
}

/** Joins messages as latin1, one character for each byte. Fails if they leave a gap or overlap. */
function received(messages: readonly JobOutput[]): Received {
  const text = { STREAM_STDOUT: "", STREAM_STDERR: "", STREAM_UNSPECIFIED: "" };
  const next = new Map<string, number>();
  const end = messages.at(-1)?.end;
  assert(end, "The last message is the summary");
  for (const { data, stream, offset, end } of messages.slice(0, -1)) {
    assert.equal(end, null);
    assert(data.length > 0 && stream !== "STREAM_UNSPECIFIED");
    assert.equal(offset, next.get(stream) ?? offset);
    next.set(stream, offset + data.length);
    text[stream] += new TextDecoder("latin1").decode(data);
  }
  assert.equal(messages.at(-1)?.data.length, 0);
  return { stdout: text.STREAM_STDOUT, stderr: text.STREAM_STDERR, end, messages };
}

async function output(calls: JobWorkerClient, id: string, selection: Selection = {}): Promise<Received> {
  return received(await all(calls.GetOutput({ id, ...selection })));
}

Deno.test("GetOutput sends heartbeats with the current cursor while a job is quiet", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const { id } = await calls.Register({ command: "sh", args: ["-c", "echo up; exec sleep 1000"] });
  await first(calls.Start({ id }));
  const messages = calls.GetOutput({ id, heartbeat_ms: 1_000 })[Symbol.asyncIterator]();
  const start = (await messages.next()).value as JobOutput;
  assert.deepEqual([start.data.length, start.stream, start.cursor], [0, "STREAM_UNSPECIFIED", "0.0.0"]);
  const up = (await messages.next()).value as JobOutput;
  const beat = (await messages.next()).value as JobOutput;
  assert.deepEqual([beat.data.length, beat.end, beat.stream, beat.cursor], [0, null, "STREAM_UNSPECIFIED", up.cursor]);
  const waiting = messages.next();
  await calls.Stop({ id });
  assert.equal((await waiting).value?.end?.status?.state, "STATE_KILLED");
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
