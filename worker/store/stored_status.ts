/** Translates a status between the library and the database, which keeps the first names of some members. */
import { defined } from "../../base/defined.ts";
import type { ExitReport, ProcessStatus, RequestedBy } from "../process/state.ts";

/** An exit report in the database. */
type StoredReport = Omit<ExitReport, "survivorsEnded" | "survivorsLeft"> & {
  readonly othersEnded: number;
  readonly othersLeft?: number;
};

/** A status in the database. The names are the same in all versions, so each version can read the rows of the others. */
export type StoredStatus = Readonly<Record<string, unknown>> & {
  readonly asked?: RequestedBy;
  readonly record?: StoredReport;
};

/** Returns the status with the names that the database uses. */
export function toStoredStatus(status: ProcessStatus): StoredStatus {
  if (status.requestedBy === undefined && !("exitReport" in status)) return status as StoredStatus;
  const { requestedBy: asked, exitReport, ...rest } = status as ProcessStatus & { readonly exitReport?: ExitReport };
  if (exitReport === undefined) return { ...rest, ...defined({ asked }) };
  const { survivorsEnded: othersEnded, survivorsLeft: othersLeft, ...report } = exitReport;
  return { ...rest, ...defined({ asked }), record: { ...report, othersEnded, ...defined({ othersLeft }) } };
}

/** Returns the status with the names that the library uses. */
export function fromStoredStatus(stored: StoredStatus): ProcessStatus {
  if (stored.asked === undefined && stored.record === undefined) return stored as ProcessStatus;
  const { asked: requestedBy, record, ...rest } = stored;
  const status = { ...rest, ...defined({ requestedBy }) } as ProcessStatus;
  if (record === undefined) return status;
  const { othersEnded: survivorsEnded, othersLeft: survivorsLeft, ...report } = record;
  return { ...status, exitReport: { ...report, survivorsEnded, ...defined({ survivorsLeft }) } } as ProcessStatus;
}
