/** Tests for the names of a status in the database: they are those of every earlier version. */
import assert from "node:assert/strict";
import type { ExitReport, ProcessStatus } from "../../../worker/process/state.ts";
import { decodeStatus, decodeTombstone, encodeStatus, encodeTombstone } from "../../../worker/store/json.ts";
import { fromStoredStatus, toStoredStatus } from "../../../worker/store/stored_status.ts";

const at = new Date(1_795_520_790_460);
const usage: ExitReport["usage"] = { cpuUserUs: 1, cpuSystemUs: 2 };

const EXITED: ProcessStatus = {
  state: "EXITED",
  exitCode: 7,
  startedAt: at,
  endedAt: at,
  pid: 42,
  reason: "EXITED",
  requestedBy: { startedBy: "bob" },
  exitReport: { usage, survivorsEnded: 2, survivorsLeft: 1, termSentAt: at },
};

Deno.test("toStoredStatus() uses the names that databases of earlier versions have", () => {
  assert.deepEqual(toStoredStatus(EXITED), {
    state: "EXITED",
    exitCode: 7,
    startedAt: at,
    endedAt: at,
    pid: 42,
    reason: "EXITED",
    asked: { startedBy: "bob" },
    record: { usage, othersEnded: 2, othersLeft: 1, termSentAt: at },
  });
});

Deno.test("toStoredStatus() adds nothing to a status without a report", () => {
  assert.deepEqual(toStoredStatus({ state: "INITIAL" }), { state: "INITIAL" });
});

Deno.test("fromStoredStatus() reads a row of an earlier version", () => {
  const row = { state: "KILLED", asked: { stopAskedBy: "ann" }, record: { usage, othersEnded: 0 } };
  assert.deepEqual(fromStoredStatus(row), {
    state: "KILLED",
    requestedBy: { stopAskedBy: "ann" },
    exitReport: { usage, survivorsEnded: 0 },
  });
});

Deno.test("decodeStatus() and decodeTombstone() return what was encoded", () => {
  assert.deepEqual(decodeStatus("a", encodeStatus("a", EXITED)), EXITED);
  const tombstone = { id: "a", owner: "ann", labels: {}, line: "true", registeredAt: at, status: EXITED };
  assert.deepEqual(decodeTombstone(encodeTombstone(tombstone)), tombstone);
});
