/** Tests of cli/forward_signals.ts. */
import assert from "node:assert/strict";
import { InterruptedError } from "../../cli/exit_code.ts";
import { forwardSignals } from "../../cli/forward_signals.ts";
import { createPrint } from "../../cli/print/print.ts";
import { FakeCallError, FakeIo, running } from "../support/fake_io.ts";

function setUp(answer: () => Promise<ReturnType<typeof running>> = () => Promise.resolve(running())) {
  const io = new FakeIo();
  const sent: string[] = [];
  const calls = {
    Signal: (request: { id?: string | undefined; signal?: string | undefined }) => {
      sent.push(`${request.id} ${request.signal}`);
      return answer();
    },
  };
  const print = createPrint(io, {}, { json: false });
  return { io, sent, forwarding: forwardSignals({ calls, io, print }) };
}

/** A turn of the event loop: all that waits for nothing has happened. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

Deno.test("forwardSignals() sends the signals of a running job on as they are", () => {
  const { io, sent, forwarding } = setUp();
  forwarding.registered("job-1");
  forwarding.running();
  io.raise("SIGINT");
  io.raise("SIGTERM");
  assert.deepEqual(sent, ["job-1 SIGINT", "job-1 SIGTERM"]);
  assert.ok(!forwarding.interrupted.aborted);
});

Deno.test("forwardSignals() keeps signals while the job is being started, and their order", async () => {
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

Deno.test("forwardSignals() leaves at once while there is no job", () => {
  const { io, sent, forwarding } = setUp();
  io.raise("SIGTERM");
  assert.ok(forwarding.interrupted.reason instanceof InterruptedError);
  assert.equal(forwarding.interrupted.reason.exitCode, 143);
  forwarding.running();
  assert.deepEqual(sent, []);
});

Deno.test("forwardSignals() leaves on the third signal, whatever the first two were", () => {
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

Deno.test("forwardSignals() sends hang-up and quit on too, and says so", async () => {
  const { io, sent, forwarding } = setUp();
  forwarding.registered("job-1");
  forwarding.running();
  io.raise("SIGHUP");
  io.raise("SIGQUIT");
  await turn();
  assert.deepEqual(sent, ["job-1 SIGHUP", "job-1 SIGQUIT"]);
  assert.equal(io.stderr.text, 'teleport: SIGHUP is sent to job "job-1"\nteleport: SIGQUIT is sent to job "job-1"\n');
});

Deno.test("forwardSignals() counts a signal that arrives twice once, and one pressed again as another", () => {
  const { io, sent, forwarding } = setUp();
  forwarding.registered("job-1");
  forwarding.running();
  io.raise("SIGINT");
  io.raise("SIGINT", 3);
  io.raise("SIGINT", 196);
  assert.equal(sent.length, 1);
  // Two hundred after the one that counted.
  io.raise("SIGINT", 1);
  io.raise("SIGINT", 3);
  assert.equal(sent.length, 2);
  // Another signal is no repeat.
  assert.ok(!forwarding.interrupted.aborted);
  io.raise("SIGTERM", 3);
  assert.ok(forwarding.interrupted.aborted);
});

Deno.test("forwardSignals() says nothing when the job has ended meanwhile", async () => {
  const { io, forwarding } = setUp(() => Promise.reject(new FakeCallError("FAILED_PRECONDITION")));
  forwarding.registered("job-1");
  forwarding.running();
  io.raise("SIGINT");
  await turn();
  assert.equal(io.stderr.text, "");
});

Deno.test("forwardSignals() says so when a signal does not arrive", async () => {
  const { io, forwarding } = setUp(() => Promise.reject(new FakeCallError("PERMISSION_DENIED", "You may not")));
  forwarding.registered("job-1");
  forwarding.running();
  io.raise("SIGINT");
  await turn();
  assert.equal(io.stderr.text, `teleport: Cannot send SIGINT to job "job-1": You may not\n`);
});

Deno.test("forwardSignals() does not fail when stderr is gone too", async () => {
  const { io, forwarding } = setUp(() => Promise.reject(new FakeCallError("PERMISSION_DENIED", "You may not")));
  io.stderr.failure = new Deno.errors.BrokenPipe("x");
  forwarding.registered("job-1");
  forwarding.running();
  io.raise("SIGINT");
  await turn();
});

Deno.test("forwardSignals() listens no more once disposed of", () => {
  const { io, forwarding } = setUp();
  assert.equal(io.listening, 4);
  forwarding[Symbol.dispose]();
  assert.equal(io.listening, 0);
});
