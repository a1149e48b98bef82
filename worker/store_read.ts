/** Rows of the database as what the store gives. */
import type { Reason, State } from "./state.ts";
import { decodeOutput, decodeProcess, decodeSpec, decodeStatus, decodeTombstone } from "./store_json.ts";
import type { StoredChange, StoredJob } from "./store_rows.ts";

/** A row as SQLite gives it, by column. */
export type Row = Readonly<Record<string, string | number | bigint | Uint8Array | null>>;

/** A row with key, seq, spec, status and what else there is of process and output. */
export function readJob(row: Row): StoredJob {
  return {
    key: row.key as number,
    seq: row.seq as number,
    spec: decodeSpec(row.spec as string),
    status: decodeStatus(row.status as string),
    ...(row.process ? { process: decodeProcess(row.process as string) } : {}),
    ...(row.sorted_at ? { sortedAt: row.sorted_at as number } : {}),
    ...(row.output ? { output: decodeOutput(row.output as string) } : {}),
  };
}

/** A row of changes, joined with what it takes to tell of the job. */
export function readChange(row: Row): StoredChange {
  const at = new Date(row.at as number);
  const seq = row.seq as number;
  const was = row.was === null ? undefined : row.was as State;
  if (row.job === null) return { seq, at, was, removed: decodeTombstone(row.status as string) };
  const cause = {
    ...(row.reason === null ? {} : { reason: row.reason as Reason }),
    ...(row.by === null ? {} : { by: row.by as string }),
  };
  return { seq, at, was, job: readJob({ ...row, key: row.job as number }), cause };
}
