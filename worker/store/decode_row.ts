/** Rows of the database as what the store gives. A row that is not the one that was meant is never given. */
import { RecordDamagedError } from "../storage_errors.ts";
import type { Reason, State } from "../process/state.ts";
import { decodeOutput, decodeProcess, decodeSpec, decodeStatus, decodeTombstone } from "./json.ts";
import type { StoredChange, StoredJob } from "./rows.ts";

/** A row as SQLite gives it, by column. */
export type Row = Readonly<Record<string, string | number | bigint | Uint8Array | null>>;

/**
 * A row of a job, joined with its spec and its last change.
 *
 * @throws {RecordDamagedError} when they do not belong together: an index or a page is damaged
 */
export function readJob(row: Row): StoredJob {
  const job = readParts(row, row.id as string);
  mustBe(row.of_job === row.key && row.owner === (job.spec.owner ?? "") && row.state === job.status.state);
  return job;
}

function readParts(row: Row, id: string): StoredJob {
  const spec = decodeSpec(id, row.spec as string);
  mustBe(spec.id === id);
  return {
    key: row.key as number,
    seq: row.seq as number,
    spec,
    status: decodeStatus(id, row.status as string),
    ...(row.process ? { process: decodeProcess(id, row.process as string) } : {}),
    ...(row.sorted_at ? { sortedAt: row.sorted_at as number } : {}),
    ...(row.output ? { output: decodeOutput(id, row.output as string) } : {}),
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
  return { seq, at, was, job: readParts({ ...row, key: row.job as number }, row.id as string), cause };
}

function mustBe(isSo: boolean): void {
  if (!isSo) throw new RecordDamagedError();
}
