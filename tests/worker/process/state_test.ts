/** Tests of the states: every event in every state. */
import assert from "node:assert/strict";
import {
  isFinalState,
  isInitialState,
  isRunningState,
  type ProcessEvent,
  type ProcessStatus,
  type State,
  transition,
} from "../../../worker/process/state.ts";

const at = new Date(0);
const EVENTS: Readonly<Record<string, ProcessEvent>> = {
  start: { type: "start", at },
  spawned: { type: "spawned", pid: 7 },
  spawnFailed: { type: "spawnFailed", error: "why", errorCode: "SPAWN_FAILED", at },
  stop: { type: "stop" },
  exited: { type: "ended", how: { exitCode: 3 }, at, reason: "EXITED" },
  killed: { type: "ended", how: { signal: "SIGTERM" }, at, reason: "STOPPED", stoppedBy: "ann" },
  lost: { type: "lost", error: "why" },
};

const ended = { startedAt: at, endedAt: at, pid: 7, reason: "EXITED" } as const;
const STATUSES: Readonly<Record<State, ProcessStatus>> = {
  INITIAL: { state: "INITIAL" },
  STARTING: { state: "STARTING", startedAt: at },
  RUNNING: { state: "RUNNING", startedAt: at, pid: 7 },
  STOPPING: { state: "STOPPING", startedAt: at, pid: 7 },
  EXITED: { state: "EXITED", exitCode: 0, ...ended },
  KILLED: { state: "KILLED", signal: "SIGKILL", ...ended },
  FAILED: { state: "FAILED", reason: "START_FAILED", error: "why", errorCode: "NOT_EXECUTABLE", endedAt: at },
  LOST: { state: "LOST", reason: "LOST", error: "why", startedAt: at },
};

/** The state after each event. An event that is absent cannot happen in that state. */
const TABLE: Readonly<Partial<Record<State, Readonly<Record<string, State>>>>> = {
  INITIAL: { start: "STARTING" },
  STARTING: { spawned: "RUNNING", spawnFailed: "FAILED", lost: "LOST" },
  RUNNING: { spawnFailed: "FAILED", stop: "STOPPING", exited: "EXITED", killed: "KILLED", lost: "LOST" },
  STOPPING: { spawnFailed: "FAILED", exited: "EXITED", killed: "KILLED", lost: "LOST" },
};

for (const [state, status] of Object.entries(STATUSES)) {
  Deno.test(`transition() follows the table in ${state} for every event`, () => {
    for (const [name, event] of Object.entries(EVENTS)) {
      const wanted = TABLE[state as State]?.[name];
      if (wanted === undefined) assert.throws(() => transition(status, event), /Cannot apply/, name);
      else assert.equal(transition(status, event).state, wanted, name);
    }
  });
}

Deno.test("transition() keeps exit code and signal apart", () => {
  const exited = transition(STATUSES.RUNNING, EVENTS.exited!);
  assert.ok(exited.state === "EXITED" && exited.exitCode === 3 && !("signal" in exited));
  const killed = transition(STATUSES.STOPPING, EVENTS.killed!);
  assert.ok(killed.state === "KILLED" && killed.signal === "SIGTERM" && !("exitCode" in killed));
  assert.equal(killed.stoppedBy, "ann");
});

Deno.test("isInitialState(), isRunningState() and isFinalState() cover each state once", () => {
  for (const state of Object.keys(STATUSES) as State[]) {
    const kinds = [isInitialState(state), isRunningState(state), isFinalState(state)];
    assert.equal(kinds.filter(Boolean).length, 1, state);
  }
});
