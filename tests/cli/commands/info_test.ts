/** `teleport info`, for people and for programs. */
import assert from "node:assert/strict";
import type { Sent } from "../../../proto/service.ts";
import type { InfoResponse } from "../../../proto/teleport/v1/job_worker.ts";
import { FakeIo, teleport } from "../../support/fake_io.ts";

const ANSWER: Sent<InfoResponse> = {
  version: "1.2.3",
  runtime_version: "2.9.6",
  started_at: { seconds: 1_767_225_600, nanos: 0 },
  uptime_ms: 3_661_999,
  limits: [{ name: "max_connections", value: 900 }, { name: "keep_ms", value: 60_000 }, {
    name: "max_output_bytes",
    value: 1_572_864,
  }],
  isolations: [
    { isolation: "ISOLATION_PRIVATE", unavailable: "" },
    { isolation: "ISOLATION_STRICT", unavailable: "no \u001b[31mnamespaces" },
  ],
  has_cgroups: false,
  cgroup_controllers: [],
  cgroup_text: "jobs have no cgroups (--cgroup off)",
  disk_bytes: 0,
  max_disk_bytes: 1024,
  free_disk_bytes: undefined,
  jobs: 3,
  running_jobs: 1,
};

function answering(answer: Sent<InfoResponse>): FakeIo {
  return new FakeIo({ Info: () => Promise.resolve(answer as InfoResponse) });
}

Deno.test("teleport info prints one line per fact, with sizes and times for people", async () => {
  const io = answering(ANSWER);
  assert.equal(await teleport(io, "info"), 0);
  const text = io.stdout.text;
  for (
    const line of [
      /^Version: +1\.2\.3 \(Deno 2\.9\.6\)$/m,
      /^Uptime: +1h1m1s$/m,
      /^Jobs: +3, 1 running$/m,
      /^Disk: +0 bytes used, 1\.0 KiB at most$/m,
      /^Isolation: +private: yes$/m,
      /^ +strict: no, .*namespaces$/m,
      /^Cgroups: +jobs have no cgroups/m,
      /^Limits: +max_connections: 900$/m,
      /^ +keep_ms: 1m$/m,
      /^ +max_output_bytes: 1\.5 MiB$/m,
    ]
  ) assert.match(text, line);
  assert.ok(!text.includes("\u001b"), "no control character of the server reaches the terminal");
});

Deno.test("teleport info --output json prints the fields of the message", async () => {
  const io = answering(ANSWER);
  assert.equal(await teleport(io, "info", "--output", "json"), 0);
  const json = JSON.parse(io.stdout.text);
  assert.equal(json.started_at, "2026-01-01T00:00:00Z");
  assert.deepEqual(json.limits, { max_connections: 900, keep_ms: 60_000, max_output_bytes: 1_572_864 });
  assert.deepEqual(json.isolations[0], { isolation: "PRIVATE", unavailable: "" });
});

Deno.test("teleport info omits the number of jobs for callers who may not see it", async () => {
  const io = answering({ ...ANSWER, jobs: undefined, running_jobs: undefined });
  assert.equal(await teleport(io, "info"), 0);
  assert.doesNotMatch(io.stdout.text, /^Jobs:/m);
});
