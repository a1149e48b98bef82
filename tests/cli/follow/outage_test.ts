/** Outages: which errors are worth waiting for, how long, and which notes are printed. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { Outages } from "../../../cli/follow/outage.ts";
import { SilenceError } from "../../../cli/follow/silence.ts";
import { FakeCallError } from "../../support/fake_io.ts";
import { FakeTime } from "../../support/fake_time.ts";
import { notes } from "./notes.ts";

const lost = () => new FakeCallError("UNAVAILABLE", "Connection lost");
const unreachable = (reason: string) => Object.assign(lost(), { unreachable: reason });
const coded = (status: string, code: string) => Object.assign(new FakeCallError(status), { code });

const transient: [string, Error][] = [
  ["a lost connection", lost()],
  ["a stream that the wire reset", new FakeCallError("INTERNAL", "Received RST_STREAM with code 2")],
  ["a stream that the wire cancelled", new FakeCallError("CANCELLED", "Call cancelled")],
  ["a server that shuts down", coded("UNAVAILABLE", "SUPERVISOR_CLOSED")],
  ["a job host that does not answer", coded("UNAVAILABLE", "HOST_UNAVAILABLE")],
  ["a server that says it goes away", coded("UNAVAILABLE", "UNAVAILABLE")],
  ["silence", new SilenceError(90_000)],
  ...["REFUSED", "NO_ROUTE", "LOST", "LOST_OR_REFUSED", "CLOSED_IN_HANDSHAKE", "CLIENT_CERTIFICATE_REFUSED", "BUSY"]
    .concat("NAME_UNKNOWN", "TIMEOUT", "UNKNOWN").map((reason): [string, Error] => [reason, unreachable(reason)]),
];
for (const [what, error] of transient) {
  Deno.test(`Outages.wait() waits after ${what}`, async () => {
    const outages = new Outages(notes());
    await outages.answered();
    await outages.wait(error);
  });
}

const final: [string, Error][] = [
  ...["PERMISSION_DENIED", "NOT_FOUND", "INVALID_ARGUMENT", "OUT_OF_RANGE", "UNAUTHENTICATED", "FAILED_PRECONDITION"]
    .concat("RESOURCE_EXHAUSTED", "DATA_LOSS", "DEADLINE_EXCEEDED").map((status): [string, Error] => [
      status,
      new FakeCallError(status),
    ]),
  ["a failure of the server's own", coded("INTERNAL", "INTERNAL")],
  ["a refusal with a code, whatever its status", coded("UNAVAILABLE", "NOT_RECORDED")],
  ["a refusal with INTERNAL and a code", coded("INTERNAL", "OUTPUT_UNAVAILABLE")],
  ...["NOT_TELEPORT", "SERVER_NAME_MISMATCH", "SERVER_CERTIFICATE_EXPIRED", "SERVER_CERTIFICATE_NOT_YET_VALID"]
    .concat("SERVER_CERTIFICATE_UNTRUSTED", "NETWORK_NOT_ALLOWED")
    .map((reason): [string, Error] => [reason, unreachable(reason)]),
  ["an error that is no call's", new Error("Disk full")],
];
for (const [what, error] of final) {
  Deno.test(`Outages.wait() throws ${what} at once`, async () => {
    const print = notes();
    const outages = new Outages(print);
    await outages.answered();
    await assert.rejects(outages.wait(error), error);
    assert.deepEqual(print.told, []);
  });
}

Deno.test("Outages.wait() throws before the first answer, and when retrying is off", async () => {
  const error = lost();
  await assert.rejects(new Outages(notes()).wait(error), error);
  const none = new Outages(notes(), 0);
  await none.answered();
  await assert.rejects(none.wait(error), error);
});

Deno.test("Outages.wait() waits after a connection without an answer", async () => {
  const print = notes();
  const outages = new Outages(print);
  await outages.wait(unreachable("LOST"));
  // The server is known to exist from then on.
  await outages.wait(unreachable("REFUSED"));
  assert.deepEqual(print.told, ["Connection lost: trying again for 2m"]);
});

Deno.test("Outages.wait() throws when no connection was made", async () => {
  for (const reason of ["REFUSED", "LOST_OR_REFUSED", "CLOSED_IN_HANDSHAKE", "TIMEOUT"]) {
    const error = unreachable(reason);
    await assert.rejects(new Outages(notes()).wait(error), error);
  }
});

Deno.test("Outages reports the begin and the end of an outage once, whatever the number of tries", async () => {
  const print = notes();
  const outages = new Outages(print);
  await outages.answered();
  for (let tries = 0; tries < 3; tries++) await outages.wait(lost());
  await outages.answered();
  await outages.answered();
  assert.deepEqual(print.told, ["Connection lost: trying again for 2m", "The server is back"]);
  await outages.wait(lost());
  await outages.answered();
  assert.equal(print.told.length, 4);
});

Deno.test("Outages.wait() throws the error only when the outage is too long", async () => {
  using time = new FakeTime();
  const outages = new Outages(notes(), 300);
  await outages.answered();
  let tries = 0;
  let isOver = false;
  const waiting = assert.rejects(async () => {
    for (;; tries++) await outages.wait(lost());
  }, /Connection lost/).finally(() => isOver = true);
  while (!isOver) {
    await new Promise((resolve) => setImmediate(resolve));
    time.pass(5);
  }
  await waiting;
  assert.ok(performance.now() >= 300);
  assert.ok(tries >= 2 && tries <= 6, `${tries} tries`);
});

Deno.test("Outages.wait() counts answers without progress as the same outage", async () => {
  const outages = new Outages(notes(), 300);
  await outages.answered();
  await assert.rejects(async () => {
    while (true) {
      await outages.wait(lost());
      await outages.answered(false);
    }
  }, /Connection lost/);
});

Deno.test("Outages.wait() begins a new outage when a quiet connection has worked for a while", async () => {
  const now = performance.now.bind(performance);
  let laterMs = 0;
  performance.now = () => now() + laterMs;
  try {
    const print = notes();
    const outages = new Outages(print, 60_000);
    await outages.answered();
    await outages.wait(lost());
    for (let heartbeats = 0; heartbeats < 10; heartbeats++) {
      await outages.answered(false);
      laterMs += 30_000;
    }
    await outages.answered(false);
    await outages.wait(lost());
    assert.equal(print.told.length, 3);
  } finally {
    performance.now = now;
  }
});

Deno.test("Outages.wait() begins a new outage when a connection without an answer has lasted", async () => {
  const now = performance.now.bind(performance);
  let laterMs = 0;
  performance.now = () => now() + laterMs;
  try {
    const outages = new Outages(notes(), 60_000);
    // A stop takes ten minutes over a network that cuts quiet connections after 50 seconds.
    for (let cuts = 0; cuts < 12; cuts++) {
      await outages.wait(unreachable("LOST"));
      laterMs += 50_000;
    }
  } finally {
    performance.now = now;
  }
});

Deno.test("Outages.wait() continues when another call is answered while the note is printed", async () => {
  const printed = Promise.withResolvers<void>();
  const told: string[] = [];
  const outages = new Outages({
    note: (text) => {
      told.push(text);
      return told.length === 1 ? printed.promise : Promise.resolve();
    },
  });
  await outages.answered();
  const waiting = outages.wait(lost());
  await outages.answered();
  printed.resolve();
  await waiting;
  assert.deepEqual(told, ["Connection lost: trying again for 2m", "The server is back"]);
});

Deno.test("Outages.wait() throws the signal's reason when it has aborted", async () => {
  const outages = new Outages(notes());
  await outages.answered();
  const reason = new Error("Interrupted");
  await assert.rejects(outages.wait(lost(), AbortSignal.abort(reason)), reason);
});

Deno.test("Outages.wait() throws the signal's reason when it aborts later", async () => {
  const interruption = new AbortController();
  const reason = new Error("Interrupted");
  // The note is printed right before the wait begins, in the same turn of the event loop.
  const outages = new Outages({
    note: () => {
      queueMicrotask(() => queueMicrotask(() => interruption.abort(reason)));
      return Promise.resolve();
    },
  });
  await outages.answered();
  await assert.rejects(outages.wait(lost(), interruption.signal), reason);
});

for (
  const [text, note] of [
    ["Cannot reach the job host: process 42 does not answer; try again later", "process 42 does not answer"],
    ["The server is shutting down: try again when it is back", "The server is shutting down"],
    ["Cannot reach the server: the connection was lost: try again", "the connection was lost"],
    ["Cannot reach the server: it lost its disk, try again", "it lost its disk"],
  ] as const
) {
  Deno.test(`a note that the command tries again does not give the same advice: ${note}`, async () => {
    const print = notes();
    const outages = new Outages(print);
    await outages.answered();
    await outages.wait(new FakeCallError("UNAVAILABLE", text));
    assert.ok(print.told[0]?.endsWith(`${note}: trying again for 2m`), String(print.told));
  });
}
