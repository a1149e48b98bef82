/** The details that are stored with a status of a job: its processes, its output, and who caused the change. */
import type { LogPosition } from "../output/cursor.ts";
import type { OutputTotals } from "../output/totals.ts";
import type { Reason } from "../process/state.ts";

/** The place of a job in an engine. */
export interface StoredPlacement {
  /** The name of the engine. */
  readonly engine: string;
  /** The engine's own number. Absent until it has given one. */
  readonly handle?: string;
  /** The host process that may start the job. Absent until one was accepted. */
  readonly run?: string;
  /** The machine of that process. */
  readonly node?: string;
}

/** The facts that identify the processes of a job, also after the server has died. */
export interface StoredProcess {
  /** The id of the boot. Pids have no meaning in another boot. */
  readonly bootId: string;
  /** The pid of the leader. Absent when the job was about to start. */
  readonly leader?: number;
  /** The start time of the leader, in clock ticks since boot. */
  readonly startTime?: number;
  /** The tag that all processes of the job inherit. Absent when it was not set, and in rows of older versions. */
  readonly tag?: string;
  /** The directory of the job's cgroup. Absent when it has none. */
  readonly cgroup?: string;
  /** The instance of the job host that was asked to start the job. Absent when the supervisor itself runs it. */
  readonly host?: string;
  /** Present when an engine places the job. The host is then the random name of the job in the engine. */
  readonly placement?: StoredPlacement;
}

/** The totals of a job's output. */
export interface StoredOutput {
  readonly end: LogPosition;
  readonly totals: OutputTotals;
}

/** Why a job's status changed, and which user requested it. */
export interface ChangeCause {
  readonly reason?: Reason;
  readonly by?: string;
}

/** The details that are stored with a status. */
export interface StatusDetails extends ChangeCause {
  readonly process?: StoredProcess;
  readonly output?: StoredOutput;
  /** The bytes of the output on the disk. */
  readonly outputBytes?: number;
}
