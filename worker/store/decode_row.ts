/** Decodes rows of the database. A row that belongs to another job is refused. */
import type { Reason, State } from "../process/state.ts";
import { RecordDamagedError } from "../storage_errors.ts";
import { decodeOutput, decodeProcess, decodeSpec, decodeStatus, decodeTombstone } from "./json.ts";
import type { StoredChange, StoredJob } from "./rows.ts";

/** A row as SQLite returns it, by column. */
export type Row = Readonly<Record<string, string | number | bigint | Uint8Array | null>>;

/** Returns the length of the texts in a row that can be long. */
export function charsOf({ spec, status }: Row): number {
  return String(spec ?? "").length + String(status).length;
}

/**
 * Decodes the row of a job, joined with its spec and its last change.
 *
 * @throws {RecordDamagedError} when the parts do not belong together, because an index or a page is damaged
 */
export function readJob(row: Row): StoredJob {
  const job = readParts(row, row.id as string);
  const { owner = "", name = null } = job.spec;
  assertIntact(row.of_job === row.key && row.owner === owner && row.name === name && row.state === job.status.state);
  return job;
}

function readParts(row: Row, id: string): StoredJob {
  const spec = decodeSpec(id, row.spec as string);
  assertIntact(spec.id === id);
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

/** Decodes the row of a change, joined with its job. */
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

function assertIntact(isIntact: boolean): void {
  if (!isIntact) throw new RecordDamagedError();
}
