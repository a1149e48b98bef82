/** Every command that prints: it exits 1 with a sentence when its output cannot be written. */
import assert from "node:assert/strict";
import type { JobWorkerClient } from "../../../proto/service.ts";
import type { JobEvent, JobStatus } from "../../../proto/teleport/v1/job_worker.ts";
import { exited, jobStatus, outputOf, running } from "../../support/cli_messages.ts";
import { FakeIo, teleport } from "../../support/fake_io.ts";
import { stream } from "../../support/streams.ts";

function event(kind: JobEvent["kind"], job: JobStatus | null): JobEvent {
  return { kind, job, time: null, token: "t", reason: "REASON_UNSPECIFIED", by: "" };
}

const calls: Partial<JobWorkerClient> = {
  Register: () => Promise.resolve(jobStatus()),
  Start: () => stream(running(), exited(0)),
  StatusStream: () => stream(running(), exited(0)),
  Status: () => Promise.resolve(running()),
  Stop: () => Promise.resolve(exited(0)),
  Signal: () => Promise.resolve(running()),
  Pause: () => Promise.resolve(running()),
  Resume: () => Promise.resolve(running()),
  List: () => Promise.resolve({ jobs: [{ ...running(), name: "job-1" }], next_page_token: "" }),
  Remove: () => Promise.resolve({}),
  CanI: () => Promise.resolve({ allowed: true, rule: "admin/1", code: "OK" }),
  GetOutput: async function* () {
    yield* await outputOf([["stdout", "text"]], exited(0));
  },
  WatchJobs: () => stream(event("JOB_EVENT_KIND_KNOWN", exited(0)), event("JOB_EVENT_KIND_CURRENT", null)),
  Input: async (messages) => {
    for await (const _ of messages);
    return { input_bytes: 0, taken_bytes: 0, input_closed: true };
  },
};

const COMMANDS = [
  "--help",
  "--version",
  "run --help",
  "register x",
  "run x",
  "run -d x",
  "start job-1",
  "stop job-1",
  "status job-1",
  "watch job-1",
  "watch --label a=b job-1",
  "logs job-1",
  "logs -f -t job-1",
  "list",
  "list -q",
  "rm job-1",
  "can-i list",
  ...[
    "register x",
    "run x",
    "run -d x",
    "start job-1",
    "stop job-1",
    "status job-1",
    "watch job-1",
    "logs job-1",
    "list",
  ]
    .concat("wait job-1", "rm job-1", "can-i list", "signal job-1 HUP", "pause job-1", "resume job-1", "input job-1")
    .map((command) => `--output json ${command}`),
];

for (const command of COMMANDS) {
  Deno.test(`teleport ${command} exits 1 with a message when its output cannot be written`, async () => {
    const io = new FakeIo(calls);
    io.stdin.send(null);
    io.stdout.failure = new Error("No space left on device");
    assert.equal(await teleport(io, ...command.split(" ")), 1);
    assert.match(io.stderr.text, /^teleport: Cannot write to the standard output: No space left on device$/m);
  });
}
