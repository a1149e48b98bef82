/** The start of a job: what is known of the job when the request has failed. */
import assert from "node:assert/strict";
import { JobStart, notStartedText } from "../../../cli/follow/job_start.ts";
import { Outages } from "../../../cli/follow/outage.ts";
import { jobStatus, running } from "../../support/cli_messages.ts";
import { FakeCallError, FakeIo, teleport } from "../../support/fake_io.ts";

const STARTING = jobStatus({ state: "STATE_STARTING" });

/** Fails like a call, with an error code of the server or the reason of the client. */
function failure(status: string, facts: { readonly code?: string; readonly unreachable?: string } = {}): Error {
  return Object.assign(new FakeCallError(status), facts);
}

/** Requests a start whose tries have these results, and nothing is tried again after the last one. */
async function startWith(...tries: readonly (readonly [Error, ...(typeof STARTING)[]])[]): Promise<JobStart> {
  const start = new JobStart("job-1");
  for (const [error, ...statuses] of tries) {
    const calls = {
      async *Start() {
        yield* statuses;
        throw await Promise.resolve(error);
      },
    };
    const outages = new Outages({ note: () => Promise.resolve() }, 0);
    await assert.rejects(Array.fromAsync(start.statuses(calls, outages)), error);
  }
  return start;
}

const refused: [string, Error][] = [
  ...["PERMISSION_DENIED", "NOT_FOUND", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"].map((status): [string, Error] => [
    status,
    failure(status),
  ]),
  ["a start that could not be stored", failure("UNAVAILABLE", { code: "NOT_RECORDED" })],
  ["a server that nobody could connect to", failure("UNAVAILABLE", { unreachable: "REFUSED" })],
  ["a connection that ended in its handshake", failure("UNAVAILABLE", { unreachable: "LOST_OR_REFUSED" })],
];
for (const [what, error] of refused) {
  Deno.test(`JobStart.mayStart is false after ${what}`, async () => {
    const start = await startWith([error]);
    assert.equal(start.mayStart, false);
    assert.match(
      notStartedText(start),
      /^Job "job-1" was registered, but not started: "teleport start job-1" starts it/,
    );
  });
}

const unknown: [string, Error][] = [
  ["a job host that does not answer", failure("UNAVAILABLE", { code: "HOST_UNAVAILABLE" })],
  ["a server that shuts down", failure("UNAVAILABLE", { code: "SUPERVISOR_CLOSED" })],
  ["a connection that was lost", failure("UNAVAILABLE", { unreachable: "LOST" })],
  ["a failure of the server", failure("INTERNAL", { code: "INTERNAL" })],
  ["a deadline", failure("DEADLINE_EXCEEDED")],
  ["the end of the command", failure("CANCELLED")],
];
for (const [what, error] of unknown) {
  Deno.test(`JobStart.mayStart is true after ${what}, also when a later try is refused`, async () => {
    const start = await startWith([error]);
    assert.equal(start.mayStart, true);
    assert.match(notStartedText(start), /may still start: "teleport status job-1" shows it/);
    const next = await startWith([error], [failure("PERMISSION_DENIED")]);
    assert.equal(next.mayStart, true);
  });
}

Deno.test("JobStart.mayStart is true when a refusal follows a status", async () => {
  const start = await startWith([failure("RESOURCE_EXHAUSTED"), STARTING]);
  assert.deepEqual([start.mayStart, start.hasBegun], [true, false]);
  assert.equal((await startWith([failure("UNAVAILABLE"), STARTING, running()])).hasBegun, true);
});

for (const args of [["run"], ["run", "-d"], ["run", "--rm"]]) {
  Deno.test(`teleport ${args.join(" ")} says that the job may still start when its job host does not answer`, async () => {
    const unavailable = failure("UNAVAILABLE", { code: "HOST_UNAVAILABLE" });
    const fails = async function* () {
      yield await Promise.reject(unavailable);
    };
    const io = new FakeIo({ Register: () => Promise.resolve(jobStatus()), Start: fails, GetOutput: fails });
    assert.equal(await teleport(io, ...args, "--retry-for", "0s", "x"), 255);
    assert.match(
      io.stderr.text,
      /^teleport: Job "job-1" was not seen to start and may still start: .*\nteleport: Refused/,
    );
  });
}
