/** The states of a process and of a job, the facts known in each state, and the table of transitions. */
import type { StartErrorCode } from "../launch/failure.ts";
import type { ExitStatus } from "./exit_status.ts";
import type { InputState } from "./stdin.ts";
import type { Usage } from "./usage.ts";
import { defined } from "../../base/defined.ts";

/**
 * The state of a process or job. `EXITED`, `KILLED`, `FAILED` and `LOST` are final and never change.
 *
 * - `INITIAL`: registered, never started
 * - `STARTING`, `RUNNING`: started and not ended
 * - `STOPPING`: a stop was requested and the process has not ended yet
 * - `EXITED`: ended by itself; the exit code is known
 * - `KILLED`: ended by a signal; the signal is known, there is no exit code
 * - `FAILED`: could not be started; the error gives the reason
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

/** A signal that a user sent. */
export interface SentSignal {
  /** The user. */
  readonly by: string;
  /** Such as `SIGHUP`. */
  readonly signal: string;
  readonly at: Date;
}

/** The users who requested the start, the stop and the signals of a job. */
export interface RequestedBy {
  /** The user who requested the start. */
  readonly startedBy?: string;
  /** The user who first requested a stop. */
  readonly stopAskedBy?: string;
  /** The last 16 signals. */
  readonly signals?: readonly SentSignal[];
}

/** The facts about an end, in addition to the exit status. */
export interface ExitReport {
  /** The total usage. */
  readonly usage: Usage;
  /** The number of processes other than the leader that were ended. */
  readonly survivorsEnded: number;
  /**
   * The number of processes other than the leader that could not be ended and may still run. Absent if there are none,
   * and for jobs stored by older versions.
   */
  readonly survivorsLeft?: number;
  /** The time of the SIGTERM. Absent if none was sent. */
  readonly termSentAt?: Date;
  /** The time of the SIGKILL at the end of the grace period. Absent if none was sent. */
  readonly killSentAt?: Date;
}

/** The facts known about a process in each state. Plain data: it can be cloned, stored and sent. */
export type ProcessStatus = PhaseStatus & {
  /** The users who requested something. Absent if no user is known. */
  readonly requestedBy?: RequestedBy;
  /** The state of the input. Present only if the job has an input and has ended. */
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
    /** The survivors that recovery ended. If the job had a cgroup, also what the job used. */
    readonly exitReport?: ExitReport;
  };

interface Ended {
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly pid: number;
  readonly reason: Reason;
  /** The user whose call ended it. Absent if no call did. */
  readonly stoppedBy?: string;
  /** The server's own failure, if that is the reason. */
  readonly error?: string;
  /** Absent for jobs stored by older versions. */
  readonly exitReport?: ExitReport;
}

/** The events that change the status of a process. */
export type ProcessEvent =
  | { readonly type: "start"; readonly at: Date }
  | { readonly type: "spawned"; readonly pid: number }
  | { readonly type: "spawnFailed"; readonly error: string; readonly errorCode: StartErrorCode; readonly at: Date }
  | { readonly type: "stop" }
  | {
    readonly type: "ended";
    readonly how: ExitStatus;
    readonly at: Date;
    readonly reason: Reason;
    readonly stoppedBy?: string;
    readonly error?: string;
    readonly exitReport?: ExitReport;
  }
  | { readonly type: "lost"; readonly error: string };

/** Returns true before the first start. */
export function isInitialState(state: State): boolean {
  return state === "INITIAL";
}

/** Returns true from the start to the end, also during a stop. */
export function isRunningState(state: State): boolean {
  return state === "STARTING" || state === "RUNNING" || state === "STOPPING";
}

/** Returns true once the status can no longer change. */
export function isFinalState(state: State): boolean {
  return state === "EXITED" || state === "KILLED" || state === "FAILED" || state === "LOST";
}

/** The order of the states. A process never goes back, except to `INITIAL` when it could not be started. */
const RANK: Readonly<Record<State, number>> = {
  INITIAL: 0,
  STARTING: 1,
  RUNNING: 2,
  STOPPING: 3,
  EXITED: 4,
  KILLED: 4,
  FAILED: 4,
  LOST: 4,
};

/** Returns true if a state comes after another one. */
export function isLaterState(state: State, other: State): boolean {
  return RANK[state] > RANK[other];
}

/**
 * Returns the status after an event. This function is the table of all transitions.
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
      // The launcher may fail during a stop, and at its very last step.
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
