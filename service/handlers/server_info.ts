/** The facts about a server for the call Info. */

/** The facts about a server that the supervisor does not know. */
export interface ServerInfo {
  readonly version?: string;
  readonly runtimeVersion?: string;
  readonly startedAt?: Date;
  readonly uptimeMs?: number;
  /** The limits in force by name, in the order of the answer. */
  readonly limits?: Readonly<Record<string, number>>;
  readonly hasCgroups?: boolean;
  readonly cgroupControllers?: readonly string[];
  readonly cgroupText?: string;
  /** The data directory. Absent when jobs are kept in memory. */
  readonly directory?: string;
}
