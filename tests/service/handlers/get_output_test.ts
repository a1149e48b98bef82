/** The call GetOutput: every byte once from the selected position, and a summary at the end. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { JobOutput } from "../../../proto/teleport/v1/job_worker.ts";
import { all, certificateOf, codeOf, first, startService } from "../../support/service.ts";
import { jobCounts } from "../../support/job_counts.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { output, ran, type Selection } from "./output_fixture.ts";

const ann = certificateOf("ann", "operator");
const sha256 = (text: string) => createHash("sha256").update(text, "latin1").digest("hex");

Deno.test("GetOutput sends both streams whole, then totals, digests and the final status", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const id = await ran(calls, "printf 'a\\0\\377\\n'; printf 'err' >&2; exit 7");
  const { stdout, stderr, end, messages } = await output(calls, id);
  assert.deepEqual([stdout, stderr], ["a\0\xff\n", "err"]);
  assert.deepEqual([end.stdout_bytes, end.stderr_bytes, end.dropped_bytes], [4, 3, 0]);
  assert.equal(end.stdout_sha256.toHex(), sha256(stdout));
  assert.equal(end.stderr_sha256.toHex(), sha256(stderr));
  assert.deepEqual(end.status, await calls.Status({ id }));
  assert.equal(end.status?.exit_code, 7);
  for (const { time, cursor } of messages.slice(0, -1)) assert(time && time.seconds > 0 && cursor !== "");
});

Deno.test("GetOutput of a job without output sends only the summary", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const { end, messages } = await output(calls, await ran(calls, "exit 0"));
  assert.equal(messages.length, 1);
  assert.deepEqual([end.stdout_bytes, end.stderr_bytes], [0, 0]);
  assert.equal(end.stdout_sha256.toHex(), sha256(""));
});

Deno.test("GetOutput of a job that could not start ends with the reason", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const { id } = await calls.Register({ command: "/nowhere" });
  const waiting = output(calls, id);
  await all(calls.Start({ id }));
  assert.equal((await waiting).end.status?.error_code, "COMMAND_NOT_FOUND");
  assert.equal((await output(calls, id)).end.status?.state, "STATE_FAILED");
});

Deno.test("GetOutput waits for the start of a job and sends everything", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const { id } = await calls.Register({ command: "echo", args: ["hello"] });
  const waiting = output(calls, id);
  await all(calls.Start({ id }));
  assert.equal((await waiting).stdout, "hello\n");
});

Deno.test("GetOutput without follow ends after the stored output, in every state", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const script = 'echo up; read line < "$0"; echo done';
  await using temporary = await tempDir();
  const dir = temporary.path;
  await new Deno.Command("mkfifo", { args: [`${dir}/gate`] }).output();
  const { id } = await calls.Register({ command: "sh", args: ["-c", script, `${dir}/gate`] });
  const unstarted = await output(calls, id, { follow: false });
  assert.deepEqual([unstarted.messages.length, unstarted.end.status?.state], [1, "STATE_INITIAL"]);
  await first(calls.Start({ id }));
  await first(calls.GetOutput({ id }));
  const running = await output(calls, id, { follow: false });
  assert.deepEqual([running.stdout, running.end.status?.state, running.end.stdout_bytes], ["up\n", "STATE_RUNNING", 3]);
  await Deno.writeTextFile(`${dir}/gate`, "go\n");
  await all(calls.StatusStream({ id }));
  for (const { messages } of [unstarted, running]) {
    const { stdout } = await output(calls, id, { cursor: messages.at(-1)?.cursor ?? "" });
    assert.equal(stdout, messages === running.messages ? "done\n" : "up\ndone\n");
  }
  const ended = await output(calls, id, { follow: false });
  assert.deepEqual([ended.stdout, ended.end.status?.state], ["up\ndone\n", "STATE_EXITED"]);
});

Deno.test("GetOutput continues after every cursor that it has sent", async () => {
  await using service = startService();
  const calls = service.as(ann);
  // Each line waits until the previous one was read, so there are many chunks.
  const id = await ran(calls, "for i in 1 2 3 4 5; do echo out$i; echo err$i >&2; sleep 0.01; done");
  const { messages, end } = await output(calls, id, { exact_pieces: true });
  assert(messages.length >= 3);
  for (const [index, { cursor }] of messages.slice(0, -1).entries()) {
    const rest = await output(calls, id, { cursor, exact_pieces: true });
    assert.deepEqual(rest.messages, messages.slice(index + 1));
    assert.deepEqual(rest.end, end);
  }
});

Deno.test("GetOutput refuses a cursor of another log", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const id = await ran(calls, "echo hello");
  const [{ cursor }] = (await output(calls, id)).messages as [JobOutput];
  const [other] = (await output(calls, await ran(calls, "echo hello"))).messages as [JobOutput];
  const forged = cursor.replace(/.$/, (last) => last === "A" ? "B" : "A");
  const elsewhere = cursor.replace(/^[^.]+/, "0");
  for (const wrong of [other.cursor, forged, elsewhere, "x", "\0", "0.0.0.AAAAAAAA", "a".repeat(10_000)]) {
    await assert.rejects(first(calls.GetOutput({ id, cursor: wrong })), { code: "INVALID_CURSOR" }, wrong);
  }
  assert.equal((await output(calls, id, { cursor })).stdout, "");
});

Deno.test("GetOutput selects one stream, the last lines or the last bytes", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const id = await ran(calls, "printf '1\\n22\\n333\\n'; printf 'e\\nee\\n' >&2");
  const selected = async (selection: Selection) => {
    const { stdout, stderr, end } = await output(calls, id, selection);
    // The summary covers all output, whatever was selected.
    assert.deepEqual([end.stdout_bytes, end.stderr_bytes], [9, 5]);
    return [stdout, stderr];
  };
  assert.deepEqual(await selected({ stream: "STREAM_STDOUT" }), ["1\n22\n333\n", ""]);
  assert.deepEqual(await selected({ stream: "STREAM_STDERR" }), ["", "e\nee\n"]);
  assert.deepEqual(await selected({ stream: "STREAM_STDOUT", tail_lines: 2 }), ["22\n333\n", ""]);
  assert.deepEqual(await selected({ stream: "STREAM_STDERR", tail_bytes: 4 }), ["", "\nee\n"]);
  assert.deepEqual(await selected({ tail_lines: 0 }), ["", ""]);
  assert.deepEqual(await selected({ tail_bytes: 1_000 }), ["1\n22\n333\n", "e\nee\n"]);
});

Deno.test("GetOutput selects output by time", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const id = await ran(calls, "echo hello");
  const now = Math.floor(Date.now() / 1_000);
  const at = (seconds: number) => ({ seconds, nanos: 0 });
  assert.equal((await output(calls, id, { since: at(now - 3_600) })).stdout, "hello\n");
  assert.equal((await output(calls, id, { since: at(now + 3_600) })).stdout, "");
  assert.equal((await output(calls, id, { until: at(now - 3_600) })).stdout, "");
  assert.equal((await output(calls, id, { until: at(now + 3_600) })).stdout, "hello\n");
  // Out of the range of a Date.
  for (const bound of [{ since: at(1e14) }, { until: at(1e14) }]) {
    await assert.rejects(first(calls.GetOutput({ id, ...bound })), { code: "INVALID_ARGUMENT" });
  }
});

Deno.test("GetOutput refuses contradictory selections", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const id = await ran(calls, "echo hello");
  const [{ cursor }] = (await output(calls, id)).messages as [JobOutput];
  for (const wrong of [{ tail_lines: 1, tail_bytes: 1 }, { cursor, tail_lines: 1 }, { cursor, tail_bytes: 1 }]) {
    assert.equal(await codeOf(() => first(calls.GetOutput({ id, ...wrong }))), "INVALID_ARGUMENT");
  }
});

Deno.test("GetOutput of a job that is removed before its start fails with JOB_NOT_FOUND", async () => {
  await using service = startService();
  const calls = service.as(ann);
  const { id } = await calls.Register({ command: "true" });
  const statuses = calls.StatusStream({ id })[Symbol.asyncIterator]();
  await statuses.next();
  const waiting = [codeOf(() => statuses.next()), codeOf(() => all(calls.GetOutput({ id })))];
  await first(calls.GetOutput({ id, follow: false })); // The other is waiting by then.
  await calls.Remove({ id });
  assert.deepEqual(await Promise.all(waiting), ["JOB_NOT_FOUND", "JOB_NOT_FOUND"]);
  assert.equal((await jobCounts(service.supervisor)).watchers, 0);
});
