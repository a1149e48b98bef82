/** SIGHUP before and after a server takes calls. */
import assert from "node:assert/strict";
import { listenForReload } from "../../../teleportd/process/reload_signal.ts";
import { deadline } from "../../support/deadline.ts";

/** Sends SIGHUP to this process, and waits until the listeners that were added before have run. */
async function hangUp(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  Deno.addSignalListener("SIGHUP", resolve);
  try {
    Deno.kill(Deno.pid, "SIGHUP");
    await deadline(promise, "SIGHUP");
  } finally {
    Deno.removeSignalListener("SIGHUP", resolve);
  }
}

const TERMINAL = [{ isTerminal: () => true }];

const neverStop = () => assert.fail("The terminal is still open");

Deno.test("listenForReload() calls back at each signal after the server takes calls", async () => {
  using signal = listenForReload(TERMINAL, neverStop);
  let reloads = 0;
  signal.listening(() => reloads += 1);
  assert.equal(reloads, 0);
  await hangUp();
  await hangUp();
  assert.equal(reloads, 2);
});

Deno.test("listenForReload() calls back once for the signals that came during the start", async () => {
  using signal = listenForReload(TERMINAL, neverStop);
  await hangUp();
  await hangUp();
  let reloads = 0;
  signal.listening(() => reloads += 1);
  assert.equal(reloads, 1);
});

Deno.test("listenForReload() stops a server whose terminal was closed, also during the start", async () => {
  let isOpen = true;
  let stops = 0;
  using _ = listenForReload([{ isTerminal: () => isOpen }, { isTerminal: () => false }], () => stops += 1);
  isOpen = false;
  await hangUp();
  // A shell passes the signal on, and the kernel sends it again when the shell ends. The jobs keep their grace period.
  await hangUp();
  assert.equal(stops, 1);
});

Deno.test("listenForReload() reloads a server that never had a terminal", async () => {
  using signal = listenForReload([{ isTerminal: () => false }], neverStop);
  let reloads = 0;
  signal.listening(() => reloads += 1);
  await hangUp();
  assert.equal(reloads, 1);
});
