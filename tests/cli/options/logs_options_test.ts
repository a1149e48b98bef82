/** The options that select output, sizes, and the time before each line. */
import assert from "node:assert/strict";
import { type LogsFlags, logsOptions } from "../../../cli/options/logs_options.ts";
import { parseSizeBytes } from "../../../units/size.ts";
import { createTimestampPrefix } from "../../../cli/print/timestamps.ts";
import { UsageError } from "../../../units/usage_error.ts";
import { exited, outputOf } from "../../support/cli_messages.ts";
import { FakeIo, teleport } from "../../support/fake_io.ts";
import { stream } from "../../support/streams.ts";

async function asked(...args: string[]): Promise<Record<string, unknown>> {
  let request: Record<string, unknown> = {};
  const messages = await outputOf([], exited(0));
  const io = new FakeIo({
    GetOutput: (sent) => {
      request = { ...sent };
      return stream(...messages);
    },
  });
  assert.equal(await teleport(io, "logs", ...args, "job-1"), 0, io.stderr.text);
  return request;
}

Deno.test("teleport logs requests the output that its options select", async () => {
  assert.deepEqual(await asked(), { id: "job-1", follow: false });
  assert.deepEqual(await asked("-n", "10"), { id: "job-1", follow: false, tail_lines: 10 });
  assert.deepEqual(await asked("-n", "007"), { id: "job-1", follow: false, tail_lines: 7 });
  assert.deepEqual(await asked("--tail-bytes", "01"), { id: "job-1", follow: false, tail_bytes: 1 });
  assert.deepEqual(await asked("--tail-bytes", "0"), { id: "job-1", follow: false, tail_bytes: 0 });
  assert.deepEqual(await asked("--stdout"), { id: "job-1", follow: false, stream: "STREAM_STDOUT" });
  assert.deepEqual(await asked("--stderr"), { id: "job-1", follow: false, stream: "STREAM_STDERR" });
  assert.deepEqual(await asked("--stderr", "--stdout"), { id: "job-1", follow: false });
  assert.deepEqual(await asked("--cursor", "x.y"), { id: "job-1", follow: false, cursor: "x.y" });
  assert.deepEqual(await asked("-t"), { id: "job-1", follow: false, exact_pieces: true });
  assert.deepEqual(await asked("--since", "2026-01-31T12:00:00.5+01:00"), {
    id: "job-1",
    follow: false,
    since: { seconds: 1_769_857_200, nanos: 500_000_000 },
  });
});

Deno.test("logsOptions() refuses options that exclude each other", () => {
  const bad: readonly LogsFlags[] = [{ tail: 1, tailBytes: 1 }, { tail: 1, cursor: "x" }, {
    tailBytes: 1,
    cursor: "x",
  }];
  for (const flags of bad) assert.throws(() => logsOptions(flags), UsageError);
});

Deno.test("parseSizeBytes() reads decimal and binary sizes", () => {
  const sizes = { "1": 1, "500k": 512_000, "100MB": 100_000_000, "1GiB": 1_073_741_824, "2g": 2_147_483_648, "7b": 7 };
  for (const [text, bytes] of Object.entries(sizes)) assert.equal(parseSizeBytes(text, "--max-output"), bytes);
  for (const text of ["", "0", "-1", "1.5m", "1x", "m", "1 m", "999999999999t"]) {
    assert.throws(() => parseSizeBytes(text, "--max-output"), UsageError, text);
  }
});

Deno.test("createTimestampPrefix() adds the time before each line of each stream, and alters no byte", async () => {
  const stamp = createTimestampPrefix();
  const chunks: ["stdout" | "stderr", string][] = [["stdout", "a\nb"], ["stderr", "x\n"], ["stdout", "c\n\n"], [
    "stdout",
    "\xff\0",
  ]];
  const messages = await outputOf(chunks, exited(0));
  const text = messages.slice(0, -1).map((message, index) => {
    const timed = { ...message, time: { seconds: index, nanos: index * 20_999_999 } };
    return new TextDecoder("latin1").decode(stamp(timed).data);
  });
  const at = (second: number) => `1970-01-01T00:00:0${second}.0${"00204162".slice(2 * second, 2 * second + 2)}Z `;
  const bytes = new TextDecoder("latin1").decode(messages[3]?.data);
  assert.deepEqual(text, [`${at(0)}a\n${at(0)}b`, `${at(1)}x\n`, `c\n${at(2)}\n`, `${at(3)}${bytes}`]);
});

Deno.test("createTimestampPrefix() starts a new line on one screen when the other stream interrupts one", () => {
  const stamp = createTimestampPrefix({ oneScreen: true });
  const time = { seconds: 1_800_000_000, nanos: 0 };
  const shown = ([
    ["STREAM_STDOUT", "a"],
    ["STREAM_STDOUT", "b"],
    ["STREAM_STDERR", "x\n"],
    ["STREAM_STDOUT", "c\nd"],
    ["STREAM_STDERR", "y"],
    ["STREAM_STDOUT", "e\n"],
  ] as const).map(([stream, text]) => {
    const chunk = {
      stream,
      data: new TextEncoder().encode(text),
      offset: 0,
      time,
      cursor: "",
      end: null,
      dropped_bytes: 0,
      clock_went_back: false,
    };
    return new TextDecoder().decode(stamp(chunk).data);
  }).join("");
  const at = new Date(time.seconds * 1_000).toISOString();
  assert.equal(shown, ["ab", "x", "c", "d", "y", "e"].map((line) => `${at} ${line}\n`).join(""));
});
