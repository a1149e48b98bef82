/** The permissions without a policy file: a row for each call, a column for each role, a cell for three kinds of jobs. */
import type { CallName, JobWorkerClient } from "../../proto/service.ts";
import { certificateOf, first, once } from "../support/service.ts";

/** An id that no job has. */
export const MISSING = "01890000-0000-7000-8000-000000000000";

type Call = (calls: JobWorkerClient, id: string) => Promise<unknown>;

/** The calls without a job. Each has a test of its own. Another call without a job does not compile. */
export const ON_NO_JOB = {
  Register: (calls) => calls.Register({ command: "true" }),
  List: (calls) => calls.List({}),
  WhoAmI: (calls) => calls.WhoAmI({}),
  CanI: (calls) => calls.CanI({ call: "List" }),
  Info: (calls) => calls.Info({}),
} satisfies Partial<Record<CallName, Call>>;

/** A call on a job without a start. Its result shows whether the policy allowed it. */
export const CALLS: Record<Exclude<CallName, keyof typeof ON_NO_JOB>, Call> = {
  Start: (calls, id) => first(calls.Start({ id })),
  StatusStream: (calls, id) => first(calls.StatusStream({ id })),
  Status: (calls, id) => calls.Status({ id }),
  Stop: (calls, id) => calls.Stop({ id }),
  GetOutput: (calls, id) => first(calls.GetOutput({ id, follow: false })),
  // If allowed, these three find a job that does not run.
  Signal: (calls, id) => calls.Signal({ id, signal: "TERM" }),
  Pause: (calls, id) => calls.Pause({ id }),
  Resume: (calls, id) => calls.Resume({ id }),
  // If allowed, it finds a job without a terminal.
  Resize: (calls, id) => calls.Resize({ id, size: { columns: 80, rows: 24 } }),
  // If allowed, it finds a job without an input.
  Input: (calls, id) => calls.Input(once({ id })),
  Remove: (calls, id) => calls.Remove({ id }),
  WatchJobs: (calls, id) => first(calls.WatchJobs({ ids: [id] })),
};

/** Every call of the service. */
export const EVERY_CALL: Record<CallName, Call> = { ...ON_NO_JOB, ...CALLS };

export const OK = "OK";
export const GONE = "JOB_NOT_FOUND";
export const DENY = "PERMISSION_DENIED";
export const IDLE = "JOB_NOT_RUNNING";
export const NONE = "NO_INPUT";
export const PLAIN = "NO_TERMINAL";

/** The results on an own job, on another's job and on a missing one. */
export type Cell = readonly [own: string, others: string, missing: string];
const READ_ALL: Cell = [OK, OK, GONE];
const OWN_ALONE: Cell = [OK, GONE, GONE];
const NEVER: Cell = [DENY, DENY, DENY];
/** The cell of a caller who reads all jobs and changes own ones: the job is visible, so nothing is hidden. */
const READ_ALL_CHANGE_OWN: Cell = [OK, DENY, GONE];

/** The columns of the table, and the roles that each stands for. */
export const ROLES = {
  admin: ["admin", "admin viewer"],
  operator: ["operator", "operator unknown"],
  viewer: ["viewer"],
  both: ["operator viewer", "viewer operator"],
  none: ["", "unknown", "Admin"],
} as const;
export type Column = keyof typeof ROLES;

// deno-fmt-ignore
export const TABLE: Record<keyof typeof CALLS, Record<Column, Cell>> = {
  Start:        { admin: READ_ALL, operator: OWN_ALONE, viewer: NEVER, both: READ_ALL_CHANGE_OWN, none: NEVER },
  StatusStream: { admin: READ_ALL, operator: OWN_ALONE, viewer: READ_ALL, both: READ_ALL, none: NEVER },
  Status:       { admin: READ_ALL, operator: OWN_ALONE, viewer: READ_ALL, both: READ_ALL, none: NEVER },
  Stop:         { admin: READ_ALL, operator: OWN_ALONE, viewer: NEVER, both: READ_ALL_CHANGE_OWN, none: NEVER },
  GetOutput:    { admin: READ_ALL, operator: OWN_ALONE, viewer: READ_ALL, both: READ_ALL, none: NEVER },
  Signal:       { admin: [IDLE, IDLE, GONE], operator: [IDLE, GONE, GONE], viewer: NEVER, both: [IDLE, DENY, GONE], none: NEVER },
  Pause:        { admin: [IDLE, IDLE, GONE], operator: [IDLE, GONE, GONE], viewer: NEVER, both: [IDLE, DENY, GONE], none: NEVER },
  Resume:       { admin: [IDLE, IDLE, GONE], operator: [IDLE, GONE, GONE], viewer: NEVER, both: [IDLE, DENY, GONE], none: NEVER },
  Resize:       { admin: [PLAIN, PLAIN, GONE], operator: [PLAIN, GONE, GONE], viewer: NEVER, both: [PLAIN, DENY, GONE], none: NEVER },
  Input:        { admin: [NONE, NONE, GONE], operator: [NONE, GONE, GONE], viewer: NEVER, both: [NONE, DENY, GONE], none: NEVER },
  Remove:       { admin: READ_ALL, operator: OWN_ALONE, viewer: NEVER, both: READ_ALL_CHANGE_OWN, none: NEVER },
  WatchJobs:    { admin: READ_ALL, operator: OWN_ALONE, viewer: READ_ALL, both: READ_ALL, none: NEVER },
};

/** Each role or pair of roles with its column. */
export const CALLERS = (Object.keys(ROLES) as Column[]).flatMap((column) =>
  ROLES[column].map((roles) => [roles, column] as const)
);

/** Returns the caller ann with some roles. */
export function callerOf(roles: string): ReturnType<typeof certificateOf> {
  return certificateOf("ann", ...roles.split(" ").filter((role) => role !== ""));
}

/** Register has one job in each cell, the new one. */
export const REGISTER: Record<Column, string> = { admin: OK, operator: OK, viewer: DENY, both: OK, none: DENY };
