/** The plan of a launch: everything that the launcher does before the program runs. */
import type { LaunchedOptions } from "../../base/job_options/entries.ts";
import type { Credentials, StartFailure } from "./failure.ts";
import type { IsolationPlan } from "./isolation.ts";
import type { StderrFilter } from "./stderr_filter.ts";

/** The steps of a launch, in addition to the job options that the launcher applies. An absent step is left out. */
export interface LaunchPlan extends LaunchedOptions {
  /** The directory of the cgroup to join. */
  readonly cgroupDir?: string;
  /** Sets the oom_score_adj to 0 if that is allowed: proc_pid_oom_score_adj(5). */
  readonly plainOomScore?: boolean;
  /** Restores the default action of signals that the server ignores or blocks. */
  readonly defaultSignals?: boolean;
  /** The descriptors from 3 to 9 to close. */
  readonly closed?: readonly number[];
  /** Sets the normal scheduling policy: sched(7). */
  readonly plainPolicy?: boolean;
  /** Sets the normal priority for disks: ioprio_set(2). */
  readonly plainIoPriority?: boolean;
  /** Drops all ambient and inheritable capabilities: capabilities(7). */
  readonly noAmbientCapabilities?: boolean;
  /** The number to add to the server's niceness. */
  readonly nice?: number;
  readonly isolation?: IsolationPlan;
  /** The user and groups to run as. */
  readonly credentials?: Credentials;
  /** The path of the terminal that becomes the standard streams, and the controlling terminal of the session. */
  readonly terminal?: string;
  /** The pipes to give to the user, who could not open them by name otherwise. Their descriptors. */
  readonly pipes?: readonly number[];
  /** Makes set-user-id and file capabilities ineffective: prctl(2). */
  readonly noNewPrivileges?: boolean;
}

/** The program that the launcher becomes. */
export interface LaunchProgram {
  /** The name that the user gave, for error messages. */
  readonly name: string;
  /** An absolute path. */
  readonly path: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** One start of a program through other programs: the command to spawn, and the reason if it fails. */
export interface ProgramLaunch {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The filter for its standard error. */
  readonly stderr: StderrFilter;
  /** Returns why the system could not start the first program. */
  spawnFailure(error: unknown): StartFailure;
  /**
   * Returns why the program never ran. Undefined if it ran. Call it when standard error was read to its end.
   *
   * @param signal the signal that ended the process, if one did
   */
  failure(signal?: string): StartFailure | undefined;
}

/** Returns true if the plan has a step. Without one, the program is spawned directly. */
export function needsLauncher(plan: LaunchPlan): boolean {
  return Object.values(plan).some((value) =>
    value !== undefined && value !== false && !(typeof value === "object" && Object.keys(value).length === 0)
  );
}
