/** Tables of jobs in terminals of several widths. */
import assert from "node:assert/strict";
import { createPrint } from "../../../cli/print/print.ts";
import { jobTable, type JobTableOptions } from "../../../cli/print/job_table.ts";
import type { JobStatus } from "../../../proto/teleport/v1/job_worker.ts";
import { cellWidth } from "../../../text/columns.ts";
import { exited, running } from "../../support/cli_messages.ts";
import { cpuMs } from "../../support/cpu_time.ts";
import { FakeIo } from "../../support/fake_io.ts";

const NOW = 1_800_000_400_000;
const id = "019a3f5c-7f2a-7abc-8def-0123456789ab";
const JOBS: JobStatus[] = [
  {
    ...running(),
    id,
    name: "web",
    started_at: { seconds: 1_800_000_100, nanos: 0 },
    labels: { kind: "build", "\x1b[2J": "x".repeat(50) },
    command: "make",
    args: ["-j8", "all", "y".repeat(100)],
    stdout_bytes: 3_633_152,
  },
  {
    ...exited(7),
    id,
    started_at: { seconds: 1_800_000_000, nanos: 0 },
    ended_at: { seconds: 1_800_000_001, nanos: 0 },
  },
];

function table(options: Partial<JobTableOptions>, jobs = JOBS): string[] {
  return jobTable(createPrint(new FakeIo(), {}), jobs, { shortId: (id) => id.slice(0, 13), nowMs: NOW, ...options });
}

Deno.test("jobTable() fits every width from 20 cells, and keeps id, state and command", () => {
  for (let width = 20; width <= 200; width++) {
    const lines = table({ width });
    for (const line of lines) assert.ok(cellWidth(line) <= width, `${width}: ${line}`);
    assert.match(lines[0]!, /^ID /);
    if (width >= 40) assert.match(lines[1]!, /^019a3f5c-7f2a .*RUNNING +.*make/);
  }
});

Deno.test("jobTable() has fewer columns in 40 cells than in 80", () => {
  assert.deepEqual(table({ width: 120 }), [
    "ID             NAME  STATE     OWNER  AGE    RAN  LABELS                          COMMAND",
    "019a3f5c-7f2a  web   RUNNING   ada    6m40s  5m   kind=build,\\x1b[2J=xxxxxxxxxx…  make -j8 all yyyyyyyyyyyyyyyyyyyyyyyy…",
    "019a3f5c-7f2a        EXITED 7  ada    6m40s  1s                                   true",
  ]);
  assert.deepEqual(table({ width: 80 }), [
    "ID             NAME  STATE     AGE    RAN  COMMAND",
    `019a3f5c-7f2a  web   RUNNING   6m40s  5m   make -j8 all ${"y".repeat(23)}…`,
    "019a3f5c-7f2a        EXITED 7  6m40s  1s   true",
  ]);
  assert.deepEqual(table({ width: 40 }), [
    "ID             STATE     COMMAND",
    "019a3f5c-7f2a  RUNNING   make -j8 all y…",
    "019a3f5c-7f2a  EXITED 7  true",
  ]);
});

Deno.test("jobTable() leaves out names and labels that no job has, on a terminal only", () => {
  assert.equal(table({ width: 80 }, [exited(0)])[0], "ID     STATE     OWNER  AGE    COMMAND");
  assert.equal(table({}, [exited(0)])[0], "ID     NAME  STATE     OWNER  AGE    RAN  LABELS  COMMAND");
});

Deno.test("jobTable() shows no duration of a job whose end nobody saw", () => {
  const lost: JobStatus = { ...JOBS[0]!, state: "STATE_LOST", ended_at: null };
  const [head = "", line = ""] = table({ nowMs: NOW }, [lost]);
  assert.equal(line.slice(head.indexOf("RAN"), head.indexOf("LABELS")).trim(), "");
});

Deno.test("jobTable() cuts nothing without a width or when it is wide", () => {
  for (const options of [{}, { width: 40, isWide: true }]) {
    const [head, first] = table(options);
    assert.match(first!, new RegExp(`kind=build,\\\\x1b\\[2J=x{50}  make -j8 all y{100}$`));
    if (options.isWide) assert.match(head!, /PID .*OUTPUT .*MEMORY/);
    if (options.isWide) assert.match(first!, / 4711 .* 3\.5 MiB /);
  }
});

Deno.test("jobTable() bounds the work for a command of a megabyte on a terminal", () => {
  const big = { ...running(), command: "x".repeat(1_000_000), args: Array.from({ length: 10_000 }, () => "\x1b") };
  const begin = cpuMs();
  const lines = table({ width: 80 }, Array.from({ length: 100 }, () => big));
  assert.ok(lines.every((line) => cellWidth(line) <= 80));
  assert.ok(cpuMs() - begin < 5_000);
});
