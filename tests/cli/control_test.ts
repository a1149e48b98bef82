/** Limits by cgroup on the command line, pause and resume, and the record of a job's end for people and programs. */
import assert from "node:assert/strict";
import { statusJson } from "../../cli/print/message_json.ts";
import { usageRows } from "../../cli/print/resource_usage.ts";
import type { JobRequest, Usage } from "../../proto/teleport/v1/job_worker.ts";
import { FakeCallError, FakeIo, jobStatus, running, teleport } from "../support/fake_io.ts";

const ALL = ["--memory=100m", "--cpus=1.5", "--pids=20", "--read-rate=1MB", "--write-rate=2MB", "--io-path=/data"];
const LIMITS = {
  memory_bytes: 104_857_600,
  cpus: 1.5,
  processes: 20,
  read_bytes_per_s: 1_000_000,
  write_bytes_per_s: 2_000_000,
  io_path: "/data",
};

async function registered(...options: string[]): Promise<unknown> {
  let request: Partial<JobRequest> = {};
  const io = new FakeIo({
    Register: (asked) => {
      request = asked as JobRequest;
      return Promise.resolve(jobStatus());
    },
  });
  assert.equal(await teleport(io, "register", ...options, "true"), 0, io.stderr.text);
  return request.cgroup_limits;
}

Deno.test("teleport register sends the limits that were typed, and no field without one", async () => {
  assert.deepEqual(await registered(...ALL), LIMITS);
  assert.deepEqual(await registered("--cpus", ".5"), { cpus: 0.5 });
  assert.equal(await registered(), undefined);
});

Deno.test("teleport register refuses limits that are none", async () => {
  const cases: readonly (readonly [string[], RegExp])[] = [
    [["--memory", "much"], /Invalid size "much" for --memory/],
    [["--memory", "0"], /Invalid value "0" for --memory: give a size from 1048576 to/],
    [["--cpus", "0"], /Invalid value "0" for --cpus: give a number from 0.01 to 65536/],
    [["--cpus", "-1"], /--cpus/],
    [["--cpus", "1e3"], /"1e3" for --cpus/],
    [["--cpus", ""], /"" for --cpus/],
    [["--pids", "0"], /Invalid value "0" for --pids: give an integer from 1 to/],
    [["--pids", "1.5"], /"1.5" for --pids/],
    [["--read-rate", "fast"], /--read-rate/],
    [["--write-rate", ""], /--write-rate/],
    [["--io-path", "/data"], /Cannot use a path for disk limits without a limit on reading or writing/],
    [["--io-path", "/data", "--memory", "1g"], /Cannot use a path for disk limits/],
  ];
  for (const [options, message] of cases) {
    const io = new FakeIo({});
    assert.equal(await teleport(io, "register", ...options, "true"), 2, options.join(" "));
    assert.match(io.stderr.text, message);
  }
});

for (const [name, call] of [["pause", "Pause"], ["resume", "Resume"]] as const) {
  Deno.test(`teleport ${name} asks for each job, prints nothing but JSON, and tells of each that failed`, async () => {
    const asked: unknown[] = [];
    const io = new FakeIo({
      [call]: ({ id }: { id?: string }) => {
        asked.push(id);
        if (id === "bad") return Promise.reject(new FakeCallError("FAILED_PRECONDITION", "It does not run"));
        return Promise.resolve({ ...running(), id, paused: name === "pause" });
      },
    });
    assert.equal(await teleport(io, name, "a", "bad", "b"), 1);
    assert.deepEqual(asked, ["a", "bad", "b"]);
    assert.equal(io.stdout.text, "");
    assert.match(io.stderr.text, /It does not run/);
    assert.equal(await teleport(io, "--output", "json", name, "a"), 0);
    const json = JSON.parse(io.stdout.text);
    assert.deepEqual([json.id, json.state, json.paused], ["a", "RUNNING", name === "pause" ? true : undefined]);
  });
}

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

Deno.test("teleport status tells people who did what, what it took to end the job, and what that used", async () => {
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
      "Memory: 8192 bytes at most",
    ]
  ) assert.ok(lines.includes(line), `${line} in\n${io.stdout.text}`);
  assert.ok(!io.stdout.text.includes("Out of memory"), "0 is nothing to tell people");
});

Deno.test("teleport status says of a paused job who paused it", async () => {
  for (const [paused_by, text] of [["ann", "(paused by ann)"], ["", "(paused)"]] as const) {
    const io = new FakeIo({ Status: () => Promise.resolve({ ...running(), paused: true, paused_by }) });
    await teleport(io, "status", "job-1");
    assert.match(io.stdout.text, /RUNNING, pid \d+ \(paused/);
    assert.ok(io.stdout.text.includes(text));
  }
});

Deno.test("usageRows() says what each figure is worth", () => {
  const rows = (usage: Partial<Usage>) =>
    usageRows({ cpu_source: "USAGE_SOURCE_UNSPECIFIED", memory_source: "USAGE_SOURCE_UNSPECIFIED", ...usage })
      .filter(([, value]) => value !== "").map((row) => row.join(": "));
  assert.deepEqual(rows({}), []);
  assert.deepEqual(usageRows(null), []);
  const cpu = { cpu_user_us: 10_000, cpu_system_us: 0 };
  assert.deepEqual(rows({ ...cpu, cpu_source: "USAGE_SOURCE_RUSAGE" }), [
    "Processor: 0.010s user, 0.000s system, without processes that it left behind",
  ]);
  assert.deepEqual(rows({ ...cpu, cpu_source: "USAGE_SOURCE_PROC" }), [
    "Processor: 0.010s user, 0.000s system, at least",
  ]);
  const memory = { memory_bytes: 5, peak_memory_bytes: 7, memory_source: "USAGE_SOURCE_PROC", processes: 2 } as const;
  assert.deepEqual(rows({ ...memory, oom_kills: 3 }), [
    "Memory: 5 bytes now, 7 bytes at most whenever it was read",
    "Processes: 2",
    "Out of memory: 3 of its processes killed",
  ]);
});

Deno.test("statusJson() tells apart what is 0 and what nobody knows", () => {
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
