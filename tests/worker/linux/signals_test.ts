/** Tests of reading and sending signals. */
import assert from "node:assert/strict";
import { InvalidSignalError } from "../../../worker/errors.ts";
import { signalName } from "../../../base/signals.ts";
import { exists, parseSignal, sendSignal } from "../../../worker/linux/signals.ts";

Deno.test("parseSignal() reads names with and without SIG, in any case, aliases and numbers", () => {
  const cases: readonly (readonly [string, string, number])[] = [
    ["SIGTERM", "SIGTERM", 15],
    ["term", "SIGTERM", 15],
    ["15", "SIGTERM", 15],
    ["SIGIOT", "SIGABRT", 6],
    ["POLL", "SIGIO", 29],
    ["SIGRTMIN", "SIGRTMIN", 34],
    ["rtmin+2", "SIGRTMIN+2", 36],
    ["RTMAX", "SIGRTMIN+30", 64],
    ["SIGRTMAX-30", "SIGRTMIN", 34],
    ["64", "SIGRTMIN+30", 64],
    ["1", "SIGHUP", 1],
    ["31", "SIGSYS", 31],
  ];
  for (const [text, name, number] of cases) assert.deepEqual(parseSignal(text), { name, number }, text);
});

Deno.test("parseSignal() throws for a text that does not name a signal", () => {
  for (
    const text of ["", "0", "65", "32", "33", "-9", "9.0", "SIG", "SIGFOO", "RTMIN+31", "RTMAX+1", "TERM ", "EXIT"]
  ) {
    assert.throws(() => parseSignal(text), InvalidSignalError, text);
  }
});

Deno.test("signalName() and parseSignal() agree on every number", () => {
  for (let number = 1; number <= 64; number++) {
    const name = signalName(number);
    if (name === undefined) assert.ok(number === 32 || number === 33);
    else assert.deepEqual(parseSignal(name), { name, number });
  }
});

Deno.test("sendSignal() returns whether the process exists", async () => {
  const child = new Deno.Command("sleep", { args: ["1000"], detached: true }).spawn();
  assert.equal(exists(-child.pid), true);
  assert.equal(await sendSignal(-child.pid, parseSignal("KILL")), "SENT");
  await child.status;
  assert.equal(exists(-child.pid), false);
  assert.equal(await sendSignal(-child.pid, parseSignal("TERM")), "GONE");
});
