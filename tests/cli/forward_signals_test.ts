/** forwardSignals(): the way of a signal to the job. */
import assert from "node:assert/strict";
import { InterruptedError } from "../../cli/exit_code.ts";
import { forwardSignals } from "../../cli/forward_signals.ts";
import { createPrint } from "../../cli/print/print.ts";
import { running } from "../support/cli_messages.ts";
import { FakeCallError, FakeIo } from "../support/fake_io.ts";

function setUp(answer: () => Promise<ReturnType<typeof running>> = () => Promise.resolve(running())) {
  const io = new FakeIo();
  const sent: string[] = [];
  const calls = {
    Signal: (request: { id?: string | undefined; signal?: string | undefined }) => {
      sent.push(`${request.id} ${request.signal}`);
      return answer();
    },
  };
  const print = createPrint(io, {});
  return { io, sent, forwarding: forwardSignals({ calls, io, print }) };
}

/** Waits for a turn of the event loop, in which all pending promises settle. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

Deno.test("forwardSignals() sends signals to a running job unchanged", () => {
  const { io, sent, forwarding } = setUp();
  forwarding.registered("job-1");
  forwarding.running();
  io.raise("SIGINT");
  io.raise("SIGTERM");
  assert.deepEqual(sent, ["job-1 SIGINT", "job-1 SIGTERM"]);
  assert.ok(!forwarding.interrupted.aborted);
});

Deno.test("forwardSignals() keeps signals and their order while the job starts", async () => {
  const { io, sent, forwarding } = setUp();
  forwarding.registered("job-1");
  io.raise("SIGTERM");
  io.raise("SIGINT");
  await turn();
  assert.deepEqual(sent, []);
  forwarding.running();
  forwarding.running();
  await turn();
  assert.deepEqual(sent, ["job-1 SIGTERM", "job-1 SIGINT"]);
});

Deno.test("forwardSignals() interrupts at once before the job is registered", () => {
  const { io, sent, forwarding } = setUp();
  io.raise("SIGTERM");
  assert.ok(forwarding.interrupted.reason instanceof InterruptedError);
  assert.equal(forwarding.interrupted.reason.exitCode, 143);
  forwarding.running();
  assert.deepEqual(sent, []);
});

Deno.test("forwardSignals() interrupts at the third signal, whatever the first two were", () => {
  const { io, sent, forwarding } = setUp();
  forwarding.registered("job-1");
  forwarding.running();
  io.raise("SIGTERM");
  io.raise("SIGINT");
  io.raise("SIGINT");
  assert.equal(sent.length, 2);
  assert.ok(forwarding.interrupted.reason instanceof InterruptedError);
  assert.equal(forwarding.interrupted.reason.exitCode, 130);
});

Deno.test("forwardSignals() forwards SIGHUP and SIGQUIT with a note", async () => {
  const { io, sent, forwarding } = setUp();
  forwarding.registered("job-1");
  forwarding.running();
  io.raise("SIGHUP");
  io.raise("SIGQUIT");
  await turn();
  assert.deepEqual(sent, ["job-1 SIGHUP", "job-1 SIGQUIT"]);
  assert.equal(io.stderr.text, 'teleport: SIGHUP is sent to job "job-1"\nteleport: SIGQUIT is sent to job "job-1"\n');
});

Deno.test("forwardSignals() counts a repeated signal once, and a second key press as another", () => {
  const { io, sent, forwarding } = setUp();
  forwarding.registered("job-1");
  forwarding.running();
  io.raise("SIGINT");
  io.raise("SIGINT", 3);
  io.raise("SIGINT", 196);
  assert.equal(sent.length, 1);
  // 200 ms after the counted one.
  io.raise("SIGINT", 1);
  io.raise("SIGINT", 3);
  assert.equal(sent.length, 2);
  // Another signal is not a repetition.
  assert.ok(!forwarding.interrupted.aborted);
  io.raise("SIGTERM", 3);
  assert.ok(forwarding.interrupted.aborted);
});

Deno.test("forwardSignals() prints nothing when the job has ended meanwhile", async () => {
  const { io, forwarding } = setUp(() => Promise.reject(new FakeCallError("FAILED_PRECONDITION")));
  forwarding.registered("job-1");
  forwarding.running();
  io.raise("SIGINT");
  await turn();
  assert.equal(io.stderr.text, "");
});

Deno.test("forwardSignals() prints nothing when the command ends before the call is answered", async () => {
  const answer = Promise.withResolvers<never>();
  const { io, forwarding } = setUp(() => answer.promise);
  forwarding.registered("job-1");
  forwarding.running();
  io.raise("SIGINT");
  forwarding[Symbol.dispose]();
  answer.reject(new FakeCallError("CANCELLED"));
  await turn();
  assert.equal(io.stderr.text, "");
});

Deno.test("forwardSignals() prints a note when a signal does not arrive", async () => {
  const { io, forwarding } = setUp(() => Promise.reject(new FakeCallError("PERMISSION_DENIED", "You may not")));
  forwarding.registered("job-1");
  forwarding.running();
  io.raise("SIGINT");
  await turn();
  assert.equal(io.stderr.text, `teleport: Cannot send SIGINT to job "job-1": You may not\n`);
});

Deno.test("forwardSignals() does not fail when stderr is closed", async () => {
  const { io, forwarding } = setUp(() => Promise.reject(new FakeCallError("PERMISSION_DENIED", "You may not")));
  io.stderr.failure = new Deno.errors.BrokenPipe("x");
  forwarding.registered("job-1");
  forwarding.running();
  io.raise("SIGINT");
  await turn();
});

Deno.test("forwardSignals() removes its listeners when it is disposed of", () => {
  const { io, forwarding } = setUp();
  assert.equal(io.listening, 4);
  forwarding[Symbol.dispose]();
  assert.equal(io.listening, 0);
});
