/** Tests of the table of signals. */
import assert from "node:assert/strict";
import { signalName, signalNumber } from "../../base/signals.ts";

Deno.test("signalNumber() reverses signalName() for every number but 0, 32, 33 and 65", () => {
  for (let number = 0; number <= 65; number++) {
    const name = signalName(number);
    if ([0, 32, 33, 65].includes(number)) assert.equal(name, undefined);
    else assert.equal(signalNumber(name ?? ""), number);
  }
});

Deno.test("signalNumber() returns the numbers of signal(7)", () => {
  const known = { SIGHUP: 1, SIGKILL: 9, SIGTERM: 15, SIGCHLD: 17, SIGCONT: 18, SIGSTOP: 19, SIGSYS: 31 };
  for (const [name, number] of Object.entries(known)) assert.equal(signalNumber(name), number, name);
  for (const [name, number] of Object.entries({ SIGRTMIN: 34, "SIGRTMIN+30": 64, SIGRTMAX: 64, "SIGRTMAX-1": 63 })) {
    assert.equal(signalNumber(name), number, name);
  }
  for (const name of ["", "KILL", "SIG", "SIGFOO", "sigterm", "SIGRTMIN+31", "SIGRTMAX+1", "toString"]) {
    assert.equal(signalNumber(name), undefined, name);
  }
});
