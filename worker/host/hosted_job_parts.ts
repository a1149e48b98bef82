/** The parts of a supervisor that its hosted jobs use. */
import type { JobSpec } from "../job/spec.ts";
import type { StatusDetails, StoredProcess } from "../job/status_details.ts";
import type { ProcessStatus } from "../process/state.ts";
import type { HostConnection } from "./host_connection.ts";
import type { HostStart } from "./link.ts";

/** The parts of a supervisor that a hosted job uses. */
export interface HostedJobParts {
  /** The directory of the job's output. */
  readonly directory: string;
  /** The id of the current boot. */
  readonly bootId: string;
  /**
   * Returns the host for new jobs.
   *
   * @throws {HostUnavailableError} when there is none now
   */
  readonly newHost: () => HostConnection;
  /** Returns the job as its host gets it. */
  readonly hostSpec: () => JobSpec;
  /** Returns the options of a start that depend on the supervisor. */
  readonly startOptions: () => Pick<HostStart, "noNewPrivileges" | "baseEnv">;
  /**
   * Stores a status before watchers see it.
   *
   * @throws {NotRecordedError} when a start cannot be stored; the job is not started then
   */
  readonly record: (status: ProcessStatus, details: StatusDetails) => void;
  /**
   * Stores other facts of the processes with the last status.
   *
   * @throws the error of the database
   */
  readonly recordProcess: (process: StoredProcess) => void;
  /** Receives errors that no caller gets. */
  readonly onError: (error: unknown) => void;
}
