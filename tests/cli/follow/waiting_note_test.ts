/** The note about a job that does not begin. */
import assert from "node:assert/strict";
import { noteWait } from "../../../cli/follow/waiting_note.ts";
import type { JobStatus } from "../../../proto/teleport/v1/job_worker.ts";
import { exited, jobStatus } from "../../support/cli_messages.ts";
import { FakeIo, teleport } from "../../support/fake_io.ts";
import { FakeJob } from "../../support/fake_job.ts";
import { GrowingText } from "../../support/growing_text.ts";

const QUEUED: Partial<JobStatus> = {
  state: "STATE_STARTING",
  placement: {
    handle: "12",
    node: "",
    waits_for: "PENDING (Resources)",
    unreachable_since: null,
  },
};

async function notesOf(fields: Partial<JobStatus>, isTerminal = true): Promise<string[]> {
  const io = new FakeIo();
  io.stderr.terminal = isTerminal;
  const notes: string[] = [];
  const print = { note: (text: string) => Promise.resolve(void notes.push(text)) };
  const calls = { Status: () => Promise.resolve(jobStatus(fields)) };
  await noteWait({ io, print, calls }, "job-1", new AbortController().signal, 0);
  return notes;
}

Deno.test("noteWait() prints what a queued job waits for, on a terminal alone", async () => {
  assert.deepEqual(await notesOf(QUEUED), ['Job "job-1" waits for a node: PENDING (Resources)']);
  assert.deepEqual(await notesOf(QUEUED, false), []);
  assert.deepEqual(await notesOf({ ...QUEUED, state: "STATE_RUNNING" }), []);
  assert.deepEqual(await notesOf({ state: "STATE_STARTING" }), []);
});

Deno.test("noteWait() says nothing when the server does not answer or the job has begun", async () => {
  const io = new FakeIo();
  io.stderr.terminal = true;
  const print = { note: () => assert.fail("A note was printed") };
  const failing = { Status: () => Promise.reject(new Error("No")) };
  await noteWait({ io, print, calls: failing }, "job-1", new AbortController().signal, 0);
  const unasked = { Status: () => assert.fail("The server was asked") };
  await noteWait({ io, print, calls: unasked }, "job-1", AbortSignal.abort());
});

Deno.test("teleport run notes once what a queued job waits for", async () => {
  const job = new FakeJob();
  const begins = Promise.withResolvers<void>();
  const text = new GrowingText();
  const io = new FakeIo({
    ...job.calls,
    Status: () => Promise.resolve(jobStatus(QUEUED)),
    async *Start() {
      yield jobStatus(QUEUED);
      await begins.promise;
      yield exited(0);
    },
  });
  io.stderr.terminal = true;
  const write = io.stderr.write.bind(io.stderr);
  io.stderr.write = (data) => {
    text.append(new TextDecoder().decode(data));
    return write(data);
  };
  const code = teleport(io, "run", "true");
  await text.until("waits for a node");
  begins.resolve();
  job.ended.resolve(exited(0));
  assert.equal(await code, 0);
  assert.equal(text.text, 'teleport: Job "job-1" waits for a node: PENDING (Resources)\n');
});
