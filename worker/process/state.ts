/** The life of a process and of a job: the states, what is known in each, and the one table of transitions. */
import type { StartErrorCode } from "../launch/failure.ts";
import type { InputState } from "./stdin.ts";

import type { Usage } from "./usage.ts";
import { defined } from "../../base/defined.ts";

/**
 * Where a process or job is in its life. `EXITED`, `KILLED`, `FAILED` and `LOST` are final and never change.
 *
 * - `INITIAL`: registered, never started
 * - `STARTING`, `RUNNING`: started and not ended
 * - `STOPPING`: a stop was asked for and the process has not ended yet
 * - `EXITED`: ended by itself; the exit code is known
 * - `KILLED`: ended by a signal; the signal is known, there is no exit code
 * - `FAILED`: could not be started; the error says why
 * - `LOST`: the server died while it ran, and the end was not seen
 */
export type State = "INITIAL" | "STARTING" | "RUNNING" | "STOPPING" | "EXITED" | "KILLED" | "FAILED" | "LOST";

/** Why a job ended. */
export type Reason =
  | "EXITED"
  | "SIGNALED"
  | "STOPPED"
  | "TIMED_OUT"
  | "OUTPUT_LIMIT"
  | "OUT_OF_MEMORY"
  | "START_FAILED"
  | "LOST"
  | "SHUTDOWN"
  | "OUTPUT_FAILED";

/** A signal that a user had sent. */
export interface SentSignal {
  readonly by: string;
  /** Such as `SIGHUP`. */
  readonly signal: string;
  readonly at: Date;
}

/** Who asked for what. */
export interface RequestedBy {
  /** For the start. */
  readonly startedBy?: string;
  /** For a stop, the first who did. */
  readonly stopAskedBy?: string;
  /** The last 16. */
  readonly signals?: readonly SentSignal[];
}

/** What there is to say of an end, beside how it was. */
export interface ExitReport {
  readonly usage: Usage;
  /** Processes of it beside its leader that were still there and were ended. */
  readonly survivorsEnded: number;
  /**
   * Processes of it beside its leader that could not be ended and may run still. Absent where there are none, and in
   * records of older versions.
   */
  readonly survivorsLeft?: number;
  /** When it was asked to end, with SIGTERM. */
  readonly termSentAt?: Date;
  /** When it was killed, for it had not ended within the grace period. */
  readonly killSentAt?: Date;
}

/** What is known of a process in each state. Plain data: it can be cloned, saved and sent. */
export type ProcessStatus = PhaseStatus & {
  /** Of a job, by those who told who they are. */
  readonly requestedBy?: RequestedBy;
  /** Of a job that has an input and has ended. */
  readonly input?: InputState;
};

type PhaseStatus =
  | { readonly state: "INITIAL" }
  | { readonly state: "STARTING"; readonly startedAt: Date }
  | { readonly state: "RUNNING" | "STOPPING"; readonly startedAt: Date; readonly pid: number }
  | ({ readonly state: "EXITED"; readonly exitCode: number } & Ended)
  | ({ readonly state: "KILLED"; readonly signal: string } & Ended)
  | {
    readonly state: "FAILED";
    readonly reason: Reason;
    readonly error: string;
    readonly errorCode: StartErrorCode;
    readonly endedAt: Date;
  }
  | {
    readonly state: "LOST";
    readonly reason: Reason;
    readonly error: string;
    readonly startedAt?: Date;
    readonly pid?: number;
    /** Of what was left and ended when that was found; in a cgroup, also what it used until then. */
    readonly exitReport?: ExitReport;
  };

interface Ended {
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly pid: number;
  readonly reason: Reason;
  /** The user whose call ended it, where one did. */
  readonly stoppedBy?: string;
  /** What went wrong on the server's side, where the reason is one of its own. */
  readonly error?: string;
  /** Of one that was recorded before there were such records: absent. */
  readonly exitReport?: ExitReport;
}

/** What can happen to a process. */
export type ProcessEvent =
  | { readonly type: "start"; readonly at: Date }
  | { readonly type: "spawned"; readonly pid: number }
  | { readonly type: "spawnFailed"; readonly error: string; readonly errorCode: StartErrorCode; readonly at: Date }
  | { readonly type: "stop" }
  | {
    readonly type: "ended";
    readonly how: { readonly exitCode: number } | { readonly signal: string };
    readonly at: Date;
    readonly reason: Reason;
    readonly stoppedBy?: string;
    readonly error?: string;
    readonly exitReport?: ExitReport;
  }
  | { readonly type: "lost"; readonly error: string };

/** True before the first start. */
export function isInitialState(state: State): boolean {
  return state === "INITIAL";
}

/** True from the start to the end, a stop under way included. */
export function isRunningState(state: State): boolean {
  return state === "STARTING" || state === "RUNNING" || state === "STOPPING";
}

/** True once nothing will change any more. */
export function isFinalState(state: State): boolean {
  return state === "EXITED" || state === "KILLED" || state === "FAILED" || state === "LOST";
}

/**
 * Returns the status after an event. Pure; the table of all transitions is this function.
 *
 * @throws {Error} when the event cannot happen in that state, which is a defect of the caller
 */
export function transition(status: ProcessStatus, event: ProcessEvent): ProcessStatus {
  switch (event.type) {
    case "start":
      if (status.state === "INITIAL") return { state: "STARTING", startedAt: event.at };
      break;
    case "spawned":
      if (status.state === "STARTING") return { state: "RUNNING", startedAt: status.startedAt, pid: event.pid };
      break;
    case "spawnFailed":
      // The launcher may fail when a stop was asked for already, or at its very last step.
      if (isRunningState(status.state)) {
        return {
          state: "FAILED",
          reason: "START_FAILED",
          error: event.error,
          errorCode: event.errorCode,
          endedAt: event.at,
        };
      }
      break;
    case "stop":
      if (status.state === "RUNNING") return { ...status, state: "STOPPING" };
      break;
    case "ended":
      if (status.state === "RUNNING" || status.state === "STOPPING") {
        const ended: Ended = {
          startedAt: status.startedAt,
          endedAt: event.at,
          pid: status.pid,
          reason: event.reason,
          ...defined({ stoppedBy: event.stoppedBy, error: event.error, exitReport: event.exitReport }),
        };
        return "exitCode" in event.how
          ? { state: "EXITED", exitCode: event.how.exitCode, ...ended }
          : { state: "KILLED", signal: event.how.signal, ...ended };
      }
      break;
    case "lost":
      if (isRunningState(status.state) && "startedAt" in status) {
        return { state: "LOST", reason: "LOST", error: event.error, startedAt: status.startedAt };
      }
      break;
  }
  throw new Error(`Cannot apply event "${event.type}" in state "${status.state}"`);
}
