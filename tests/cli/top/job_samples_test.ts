/** The jobs of `teleport top` and the lines of its screen. */
import assert from "node:assert/strict";
import { createPrint } from "../../../cli/print/print.ts";
import { JobSamples, lastLineOf } from "../../../cli/top/job_samples.ts";
import { screenLines } from "../../../cli/top/top_screen.ts";
import type { JobEventKind, JobStatus } from "../../../proto/teleport/v1/job_worker.ts";
import { cellWidth } from "../../../text/columns.ts";
import { exited, running } from "../../support/cli_messages.ts";
import { FakeIo } from "../../support/fake_io.ts";

function event(kind: JobEventKind, job: JobStatus | null) {
  return { kind, job, time: null, token: "", reason: "REASON_UNSPECIFIED", by: "" } as const;
}

function usage(cpuUs: number, memory_bytes: number): NonNullable<JobStatus["usage"]> {
  return {
    cpu_user_us: cpuUs,
    cpu_system_us: 0,
    cpu_source: "USAGE_SOURCE_CGROUP",
    memory_bytes,
    memory_source: "USAGE_SOURCE_CGROUP",
  };
}

Deno.test("JobSamples forgets jobs that end, are removed, or are missing after an outage", () => {
  const samples = new JobSamples(["STATE_RUNNING"]);
  for (const id of ["a", "b", "c"]) samples.apply(event("JOB_EVENT_KIND_KNOWN", { ...running(), id }));
  samples.apply(event("JOB_EVENT_KIND_CURRENT", null));
  assert.equal(samples.size, 3);
  samples.apply(event("JOB_EVENT_KIND_CHANGED", { ...exited(0), id: "a" }));
  samples.apply(event("JOB_EVENT_KIND_REMOVED", { ...running(), id: "b" }));
  assert.deepEqual(samples.sorted("age").map(({ status }) => status.id), ["c"]);
  samples.apply(event("JOB_EVENT_KIND_KNOWN", { ...running(), id: "d" }));
  samples.apply(event("JOB_EVENT_KIND_CURRENT", null));
  assert.deepEqual(samples.sorted("age").map(({ status }) => status.id), ["d"]);
});

Deno.test("JobSamples computes the processor use since the last sample, and sorts by it", () => {
  const samples = new JobSamples([]);
  for (const id of ["a", "b"]) samples.update({ ...running(), id });
  const at = (id: string, cpuUs: number, memory: number, atMs: number) =>
    samples.measure(
      { ...running(), id, started_at: { seconds: 0, nanos: 0 }, usage: usage(cpuUs, memory) },
      atMs,
      10_000,
    );
  at("a", 5_000_000, 1, 0);
  at("b", 1_000_000, 2, 0);
  assert.deepEqual(samples.sorted("cpu").map(({ status, cpuPercent }) => [status.id, cpuPercent]), [["a", 50], [
    "b",
    10,
  ]]);
  at("a", 5_000_000, 1, 2_000);
  at("b", 5_000_000, 2, 2_000);
  assert.deepEqual(samples.sorted("cpu").map(({ status, cpuPercent }) => [status.id, cpuPercent]), [["b", 200], [
    "a",
    0,
  ]]);
  assert.deepEqual(samples.sorted("memory").map(({ status }) => status.id), ["b", "a"]);
});

Deno.test("lastLineOf() returns the last text that people see, harmless", () => {
  const lines: [string, string][] = [
    ["one\ntwo\n", "two"],
    ["10%\r20%\r\n", "20%"],
    ["\x1b[31mred\x1b[0m\n\n", "red"],
    ["\x1b]0;title\x07x\x1b[2J\x9b2J\u202e", "x\\u202e"],
    ["", ""],
  ];
  for (const [output, line] of lines) assert.equal(lastLineOf(new TextEncoder().encode(output)), line);
  assert.equal(lastLineOf(Uint8Array.of(0xff, 0x00, 0x41)), "\ufffd\\x00A");
});

Deno.test("screenLines() fits every size, from 1x1", () => {
  const samples = new JobSamples([]);
  for (let index = 0; index < 50; index++) {
    const id = `019a3f5c-7f2a-7abc-8def-0000000000${index + 10}`;
    samples.update({ ...running(), id, name: index % 2 ? "name".repeat(10) : "", command: "作業".repeat(30) });
    samples.setLastLine(id, new TextEncoder().encode("line ".repeat(50)), 1);
  }
  const print = createPrint(new FakeIo(), {});
  const sizes = [[1, 1], [10, 2], [40, 10], [80, 24], [200, 60]] as const;
  for (const [columns, rows] of sizes) {
    const lines = screenLines(print, samples.sorted("cpu"), { sort: "cpu", offset: 3, note: "" }, { columns, rows });
    assert.equal(lines.length, Math.min(rows, 49));
    for (const line of lines) assert.ok(cellWidth(line) <= columns, `${columns}: ${line}`);
  }
  const small = screenLines(print, samples.sorted("cpu"), { sort: "cpu", offset: 0, note: "" }, {
    columns: 40,
    rows: 10,
  });
  assert.match(small[1]!, /^JOB .*CPU LAST LINE$/);
});
