/** `teleport status`: its lines and its JSON. */
import assert from "node:assert/strict";
import type { JobStatus, Usage } from "../../../proto/teleport/v1/job_worker.ts";
import { exited, jobStatus, running } from "../../support/cli_messages.ts";
import { FakeCallError, FakeIo, teleport } from "../../support/fake_io.ts";
import { statusJson } from "../../../cli/print/message_json.ts";

Deno.test("teleport status prints every known fact, safe for a terminal", async () => {
  const io = new FakeIo({
    Status: () =>
      Promise.resolve({
        ...exited(0),
        command: "sh",
        args: ["-c", "echo \x1b[2J"],
        cwd: "/tmp",
        labels: { a: "b", c: "\x07" },
        timeout_ms: 60_000,
        started_at: { seconds: 1_800_000_001, nanos: 0 },
        ended_at: { seconds: 1_800_000_002, nanos: 0 },
        stdout_bytes: 12,
      }),
  });
  assert.equal(await teleport(io, "status", "--absolute", "job-1"), 0);
  assert.equal(
    io.stdout.text,
    [
      "Id:         job-1",
      "State:      EXITED 0",
      "Command:    sh -c $'echo \\x1b[2J'",
      "Directory:  /tmp",
      "Owner:      ada",
      "Labels:     a=b, c=\\x07",
      "Time limit: 1m",
      "Registered: 2027-01-15T08:00:00Z",
      "Started:    2027-01-15T08:00:01Z",
      "Ended:      2027-01-15T08:00:02Z",
      "Stdout:     12 bytes",
      "Stderr:     0 bytes",
      "",
    ].join("\n"),
  );
});

Deno.test("teleport status prints the output limit, its policy, and the dropped bytes", async () => {
  const limited = (output_policy: JobStatus["output_policy"], dropped_bytes: number) =>
    new FakeIo({
      Status: () => Promise.resolve(jobStatus({ max_output_bytes: 1_000, output_policy, dropped_bytes })),
    });
  const sentences = [
    ["OUTPUT_POLICY_STOP", "then the job is stopped"],
    ["OUTPUT_POLICY_KEEP_NEWEST", "of which the newest are kept"],
    ["OUTPUT_POLICY_BLOCK", "then the job waits"],
  ] as const;
  for (const [policy, sentence] of sentences) {
    const io = limited(policy, 42);
    assert.equal(await teleport(io, "status", "job-1"), 0);
    assert.match(io.stdout.text, new RegExp(`^Output limit: 1000 bytes, ${sentence}\nDropped: +42 bytes$`, "m"));
  }
  const whole = limited("OUTPUT_POLICY_STOP", 0);
  await teleport(whole, "status", "job-1");
  assert.doesNotMatch(whole.stdout.text, /Dropped/);
});

const USAGE: Usage = {
  cpu_user_us: 1_234_567,
  cpu_system_us: 20_000,
  cpu_source: "USAGE_SOURCE_CGROUP",
  peak_memory_bytes: 8_192,
  memory_source: "USAGE_SOURCE_CGROUP",
  oom_kills: 0,
};

const ENDED = jobStatus({
  state: "STATE_KILLED",
  signal: "SIGKILL",
  reason: "REASON_STOPPED",
  stopped_by: "bob",
  started_by: "ann",
  stop_asked_by: "bob",
  signals: [{ by: "cyd", signal: "SIGHUP", at: { seconds: 1_800_000_001, nanos: 0 } }],
  term_sent_at: { seconds: 1_800_000_002, nanos: 0 },
  kill_sent_at: { seconds: 1_800_000_012, nanos: 0 },
  others_ended: 1,
  others_left: 2,
  usage: USAGE,
  cgroup_limits: { memory_bytes: 1_048_576, io_path: "" },
});

Deno.test("teleport status prints who did what, how the job ended, and its resource usage", async () => {
  const io = new FakeIo({ Status: () => Promise.resolve(ENDED) });
  assert.equal(await teleport(io, "status", "job-1"), 0);
  const lines = io.stdout.text.split("\n").map((line) => line.replace(/: +/, ": "));
  for (
    const line of [
      "State: KILLED SIGKILL (stopped by bob)",
      "Limits: 1048576 bytes of memory",
      "Started by: ann",
      "Stop asked by: bob",
      "Signals: SIGHUP by cyd at 2027-01-15T08:00:01Z",
      "Asked to end: 2027-01-15T08:00:02Z, by SIGTERM",
      "Killed: 2027-01-15T08:00:12Z, because it had not ended",
      "Ended with it: 1 other process",
      "Left running: 2 other processes that could not be ended",
      "Processor: 1.23s user, 0.020s system",
      "Memory: 8.0 KiB at most",
    ]
  ) assert.ok(lines.includes(line), `${line} in\n${io.stdout.text}`);
  assert.ok(!io.stdout.text.includes("Out of memory"), "0 is nothing to tell people");
});

Deno.test("teleport status names the user who paused the job", async () => {
  for (const [paused_by, text] of [["ann", "(paused by ann)"], ["", "(paused)"]] as const) {
    const io = new FakeIo({ Status: () => Promise.resolve({ ...running(), paused: true, paused_by }) });
    await teleport(io, "status", "job-1");
    assert.match(io.stdout.text, /RUNNING, pid \d+ \(paused/);
    assert.ok(io.stdout.text.includes(text));
  }
});

Deno.test("statusJson() distinguishes 0 from unknown", () => {
  const json = statusJson(ENDED);
  assert.deepEqual(json.usage, {
    cpu_user_us: 1_234_567,
    cpu_system_us: 20_000,
    peak_memory_bytes: 8_192,
    oom_kills: 0,
    cpu_source: "CGROUP",
    memory_source: "CGROUP",
  });
  assert.deepEqual([json.term_sent_at, json.kill_sent_at, json.others_ended, json.others_left], [
    "2027-01-15T08:00:02Z",
    "2027-01-15T08:00:12Z",
    1,
    2,
  ]);
  assert.deepEqual(json.cgroup_limits, { memory_bytes: 1_048_576 });
  const plain = statusJson(jobStatus());
  for (
    const name of ["usage", "term_sent_at", "kill_sent_at", "others_ended", "others_left", "paused", "cgroup_limits"]
  ) {
    assert.ok(!(name in plain), name);
  }
});

Deno.test("teleport status and inspect take several jobs, and report the ones that fail", async () => {
  const io = new FakeIo({
    Status: ({ id }) =>
      id === "bad-job"
        ? Promise.reject(new FakeCallError("NOT_FOUND", "Unknown job"))
        : Promise.resolve({ ...exited(0), id: id! }),
  });
  assert.equal(await teleport(io, "status", "job-1", "bad-job", "job-2"), 1);
  assert.match(io.stdout.text, /^Id: +job-1\n[^]*\n\nId: +job-2\n/);
  assert.equal(io.stderr.text, "teleport: Unknown job\n");
  const data = new FakeIo(io.calls);
  assert.equal(await teleport(data, "inspect", "job-1", "job-2"), 0);
  const jobs = data.stdout.text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(jobs.map(({ id, state }) => [id, state]), [["job-1", "EXITED"], ["job-2", "EXITED"]]);
});

Deno.test("teleport status shows ages, and the jobs with a label", async () => {
  const seconds = Math.floor(Date.now() / 1_000) - 303;
  const io = new FakeIo({
    List: ({ labels, states }) => {
      assert.deepEqual([{ ...labels }, states], [{ a: "b" }, []]);
      const id = "01930000-0000-7000-8000-000000000000";
      return Promise.resolve({ jobs: [{ ...exited(0), id }], next_page_token: "" });
    },
    Status: () => Promise.resolve({ ...exited(0), registered_at: { seconds, nanos: 0 }, stdout_bytes: 3_633_152 }),
  });
  assert.equal(await teleport(io, "status", "-l", "a=b"), 0);
  assert.match(io.stdout.text, /^Registered: .*Z \(5m\d+s ago\)$/m);
  assert.match(io.stdout.text, /^Stdout: +3\.5 MiB$/m);
});
