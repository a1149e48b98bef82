/**
 * The job options: one table from which flags, conversions, checks, policy kinds, status lines and launch steps derive.
 *
 * To add an option:
 *
 * 1. Add a field to `JobRequest` and one with the same name and number to `JobStatus`, and run `deno task generate`.
 * 2. Add a property to {@linkcode ExecutionOptions}, or to {@linkcode JobOnlyOptions} if a process has no use for it.
 * 3. Add its descriptor to {@linkcode JOB_OPTIONS}. A missing or wrong part does not compile.
 * 4. Add a test, and run `deno task reference`.
 *
 * Long: this table is the one place for every option.
 */
import { CAP, hasCapability } from "../capabilities.ts";
import { MAX_TIMER_MS } from "../timers.ts";
import { CGROUP_LIMITS, type CgroupLimits } from "./cgroup_limits.ts";
import type { OptionFor } from "./descriptor.ts";
import { NAME_MUST, NAME_PATTERN } from "./name.ts";
import { RLIMITS, type Rlimits } from "./rlimits.ts";

/**
 * The separation of a command from the rest of its host.
 *
 * - `PRIVATE`: it has its own mounts, System V IPC, POSIX message queues and host name, and /tmp and /dev/shm in memory
 * - `STRICT`: it also has no network and no capabilities, and everything else is read-only; refused for root
 *
 * Source: namespaces(7), capabilities(7).
 */
export type Isolation = "PRIVATE" | "STRICT";

/** The options of a process that the table describes. */
export interface ExecutionOptions {
  /** The time after which the process is stopped, in milliseconds. 0 or absent: no limit. */
  readonly timeoutMs?: number;
  /** The time between SIGTERM and SIGKILL when it is stopped, in milliseconds. Absent: 10,000. */
  readonly graceMs?: number;
  /** True gives it an input, which can be written while it runs. Without, it reads from /dev/null. */
  readonly input?: boolean;
  /** The user of the server's system that it runs as, by name or number. Only a server that is root can do that. */
  readonly user?: string;
  /** The group that it runs as, by name or number. Absent: the user's own. */
  readonly group?: string;
  /** The bits that are taken from the mode of files it makes, from 0 to 0o777. Absent: 0o022. */
  readonly umask?: number;
  /** The niceness, from -20 (before others) to 19 (after them). Absent: 0. A negative one needs a privilege. */
  readonly nice?: number;
  /**
   * The OOM score adjustment, from -1000 (never killed) to 1000 (killed first); proc_pid_oom_score_adj(5). Absent: 0, or the
   * server's own where that cannot be lowered. One below the server's own needs the capability CAP_SYS_RESOURCE.
   */
  readonly oomScoreAdj?: number;
  /** The separation from the rest of the host. Absent: none. */
  readonly isolation?: Isolation;
  /** The limits of each process. */
  readonly rlimits?: Rlimits;
}

/** The options that only a job has. A `Process` without a job does not have them. */
export interface JobOnlyOptions {
  /** The name by which users find the job. Unique among the jobs of the owner that have not ended. */
  readonly name?: string;
  /** The limits of all processes together, by a cgroup. */
  readonly cgroupLimits?: CgroupLimits;
  /** True lets the job's programs gain privileges, where the supervisor lets those that ask. */
  readonly allowNewPrivileges?: boolean;
  /** True adds the variables that the supervisor offers to the job's environment. */
  readonly inheritEnv?: boolean;
  /** The engine that places the job on a machine, such as `slurm`; `local` for the supervisor's own machine. */
  readonly engine?: string;
  /** The partition of the engine. */
  readonly partition?: string;
  /** The features that the node must have, in the words of the engine. */
  readonly nodeConstraint?: string;
}

/** All options that the table describes. */
export interface JobOptionValues extends ExecutionOptions, JobOnlyOptions {}

/** The options that a job's status does not have. `JobStatus` must have a field for every other one. */
export type HiddenOption = "graceMs" | "input" | "umask" | "nice" | "allowNewPrivileges" | "inheritEnv";

/** The options in a job's status. */
export type StatusOptions = Omit<JobOptionValues, HiddenOption>;

/** The type of the table: a descriptor for each option, with `status` for those that a status has. */
type Table =
  & { readonly [Name in keyof JobOptionValues]-?: OptionFor<NonNullable<JobOptionValues[Name]>> }
  & { readonly [Name in HiddenOption]: { readonly status?: undefined } }
  & { readonly [Name in keyof StatusOptions]-?: { readonly status: object } };

/** The descriptors, in the order of the flags in help and of the lines in a status. */
export const JOB_OPTIONS = {
  name: {
    kind: "text",
    field: "name",
    noun: "name",
    pattern: NAME_PATTERN,
    must: NAME_MUST,
    policy: "harmless",
    flag: { syntax: "--name <NAME>", help: "a name to find the job by, of which you have no other job until it ends" },
    status: {},
  },
  input: {
    kind: "switch",
    field: "input",
    noun: "input",
    // The input of an interpreter is a program.
    policy: "guarded",
    flag: { syntax: "-i, --stdin", help: "give the job a standard input (default: none)" },
  },
  timeoutMs: {
    kind: "integer",
    field: "timeout_ms",
    notation: "duration",
    noun: "timeout",
    unit: "milliseconds",
    min: 0,
    max: MAX_TIMER_MS,
    absent: "never",
    policy: "harmless",
    flag: {
      syntax: "--timeout <DURATION>",
      help: "stop the job when it has run this long, such as 90s or 1h30m",
      min: 1,
      max: 596 * 3_600_000,
    },
    status: {},
  },
  graceMs: {
    kind: "integer",
    field: "grace_ms",
    notation: "duration",
    noun: "grace period",
    unit: "milliseconds",
    min: 0,
    // No orderly end takes longer, and every stop must come to an end.
    max: 3_600_000,
    absent: "unset",
    policy: "harmless",
    flag: {
      syntax: "--grace <DURATION>",
      help: "time between SIGTERM and SIGKILL when the job is stopped (default: 10s)",
    },
  },
  user: {
    kind: "text",
    field: "user",
    noun: "user",
    // Fields of passwd(5) end with a colon or a line's end. Names of Linux have at most 255 characters: LOGIN_NAME_MAX.
    pattern: /^[^:\n\0]{1,255}$/,
    must: "a name or number of the server's system",
    policy: "judged",
    flag: { syntax: "-u, --user <USER>", help: "run as this user of the server's system, by name or number" },
    status: {},
  },
  group: {
    kind: "text",
    field: "group",
    noun: "group",
    pattern: /^[^:\n\0]{1,255}$/,
    must: "a name or number of the server's system",
    policy: "judged",
    flag: { syntax: "--group <GROUP>", help: "run as this group (default: the user's own)" },
    status: {},
  },
  umask: {
    kind: "integer",
    field: "umask",
    notation: "octal",
    noun: "umask",
    min: 0,
    max: 0o777,
    absent: "unset",
    policy: "guarded",
    flag: {
      syntax: "--umask <MODE>",
      help: "permission bits that the job's files do not get, octal",
    },
    launch: {
      stage: "last",
      script: 'umask "$1"',
      argument: (umask) => umask.toString(8).padStart(4, "0"),
      failure: "its umask could not be set",
    },
  },
  nice: {
    kind: "integer",
    field: "nice",
    notation: "count",
    noun: "niceness",
    min: -20,
    max: 19,
    absent: "zero",
    policy: "harmless",
    // A higher priority than the server's own is not for its clients: the field has no sign.
    flag: { syntax: "--nice <NICENESS>", help: "from 0 to 19: a higher value gives other processes priority", min: 0 },
  },
  oomScoreAdj: {
    kind: "integer",
    field: "oom_score_adj",
    notation: "count",
    noun: "OOM score adjustment",
    min: -1_000,
    max: 1_000,
    absent: "unset",
    // A negative one protects the job at the cost of all others on the host.
    policy: "privileged",
    flag: {
      syntax: "--oom-score-adj <SCORE>",
      help: "which job the kernel kills first when memory runs out, from -1000 (never) to 1000 (first)",
    },
    status: { label: "OOM score adj" },
    launch: {
      stage: "first",
      // dash reports every errno of a write as "I/O error". printf(1) fails again, with the reason.
      script: 'echo "$1" 2>/dev/null >/proc/self/oom_score_adj || ' +
        '{ /usr/bin/env printf %s "$1" >/proc/self/oom_score_adj; false; }',
      argument: (score) => `${score}`,
      failure: "its OOM score adjustment could not be set",
    },
    refusal: (score, { capabilities, oomScoreAdj }) =>
      score >= oomScoreAdj || hasCapability(capabilities, CAP.SYS_RESOURCE)
        ? undefined
        : `Cannot lower the OOM score adjustment to ${score} here: the server's own is ${oomScoreAdj} and it lacks ` +
          "CAP_SYS_RESOURCE",
  },
  rlimits: {
    kind: "group",
    field: "rlimits",
    noun: "limits on processes",
    policy: "guarded",
    members: RLIMITS,
    flag: {
      syntax: "--ulimit <NAME=VALUE>",
      help: "a limit on each process of the job: as, core, cpu, fsize, nofile or nproc; repeatable, " +
        "such as nofile=1024, as=2G or cpu=60s",
    },
    separator: " ",
    status: { label: "Ulimits" },
  },
  isolation: {
    kind: "choice",
    field: "isolation",
    noun: "isolation",
    prefix: "ISOLATION_",
    words: { PRIVATE: "private", STRICT: "strict" },
    policy: "guarded",
    flag: {
      syntax: "--isolate <LEVEL>",
      help:
        "private: own /tmp, IPC and host name; strict: also no network, all else read-only, few devices; not for root",
    },
    status: { label: "Isolation" },
  },
  cgroupLimits: {
    kind: "group",
    field: "cgroup_limits",
    noun: "cgroup limits",
    policy: "guarded",
    members: CGROUP_LIMITS,
    separator: ", ",
    conflict: ({ ioPath, maxReadBytesPerS, maxWriteBytesPerS }: CgroupLimits, nameOf) =>
      ioPath !== undefined && maxReadBytesPerS === undefined && maxWriteBytesPerS === undefined
        ? `Cannot use ${nameOf("ioPath")} alone: give ${nameOf("maxReadBytesPerS")} or ` +
          `${nameOf("maxWriteBytesPerS")} too`
        : undefined,
    status: { label: "Limits" },
  },
  allowNewPrivileges: {
    kind: "switch",
    field: "allow_new_privileges",
    noun: "new privileges",
    policy: "privileged",
    flag: { syntax: "--allow-new-privileges", help: "let the job's programs gain privileges, as sudo does" },
  },
  inheritEnv: {
    kind: "switch",
    field: "inherit_env",
    noun: "inherited environment",
    policy: "privileged",
    flag: { syntax: "--inherit-env", help: "add the variables that the server offers to the job's environment" },
  },
  engine: {
    kind: "text",
    field: "engine",
    noun: "engine",
    pattern: /^[a-z][a-z0-9-]{0,31}$/,
    must: "the name of an engine, such as slurm, or local",
    policy: "guarded",
    flag: {
      syntax: "--engine <NAME>",
      help: "where the job runs: slurm on a node of the cluster, local on the server (default: the server's choice)",
    },
    status: { label: "Engine" },
  },
  partition: {
    kind: "text",
    field: "partition",
    noun: "partition",
    pattern: /^[A-Za-z0-9_][A-Za-z0-9_.,-]{0,254}$/,
    must: "the name of a partition, or several with commas",
    policy: "guarded",
    flag: { syntax: "--partition <NAME>", help: "partition of the engine (default: the server's choice)" },
    status: { label: "Partition" },
  },
  nodeConstraint: {
    kind: "text",
    field: "node_constraint",
    noun: "node constraint",
    // The characters of --constraint; sbatch(1).
    pattern: /^[A-Za-z0-9_.&|*()[\],:-]{1,255}$/,
    must: "the features of a node, such as gpu&bigmem",
    policy: "guarded",
    flag: { syntax: "--node-constraint <FEATURES>", help: "what the node must have, such as 'gpu&bigmem'" },
    status: { label: "Constraint" },
  },
} as const satisfies Table;

/** The name of an option. */
export type JobOptionName = keyof JobOptionValues;
