/** Translates errors of SQLite and of the system into errors of the library: in use, damaged, or not writable. */
import { errorCode } from "../../base/error_code.ts";
import { errnoOf } from "../../base/errno.ts";
import { writeAdvice } from "../write_advice.ts";
import { TeleportError } from "../errors.ts";
import { DirectoryInUseError, RecordDamagedError, StoreUnusableError } from "../storage_errors.ts";

// SQLite's result codes do not reach JavaScript in Deno 2.9, so its messages are the only way to distinguish errors. The
// statements of the store are fixed: every error that the system did not cause means damage.
const LOCKED = /database is locked/;
const NOT_WRITABLE = /readonly|unable to open|disk I\/O|is full/;

function isOfSqlite(error: unknown): error is Error {
  return errorCode(error) === "ERR_SQLITE_ERROR";
}

/** Returns true when a system call failed, for example while the write-ahead log was read. */
function isOfSystem(error: unknown): boolean {
  return /^E[A-Z0-9]+$/.test(errnoOf(error) ?? "");
}

/** Returns true when another process has locked the database. */
export function isLockedError(error: unknown): boolean {
  return isOfSqlite(error) && LOCKED.test(error.message);
}

/** Returns the error for a database that could not be opened. */
export function openError(error: unknown): unknown {
  if (error instanceof TeleportError || !(error instanceof Error)) return error;
  if (error instanceof Deno.errors.NotCapable || isOfSystem(error)) return notWritableError(error);
  if (isLockedError(error)) return new DirectoryInUseError();
  if (isOfSqlite(error) && NOT_WRITABLE.test(error.message)) return notWritableError(error);
  return damagedError(error);
}

/** Returns the error for a failed write. A full disk is not damage. */
export function writeError(error: unknown): unknown {
  const isDamage = isOfSqlite(error) && !LOCKED.test(error.message) && !NOT_WRITABLE.test(error.message);
  return isDamage ? new RecordDamagedError(error) : error;
}

/** Returns the error for a failed read: a message of SQLite, or a row that cannot be decoded. */
export function readError(error: unknown): unknown {
  return error instanceof TeleportError ? error : new RecordDamagedError(error);
}

/** Returns the error for a database that is damaged when it is opened. */
export function damagedError(cause: unknown): StoreUnusableError {
  return new StoreUnusableError(
    'is damaged: put a copy in its place without "jobs.db-wal", or move both and "output" away to start without its jobs',
    cause,
  );
}

/** Returns the error for a database that cannot be written. The message has no path: it has the code of the system. */
export function notWritableError(error: unknown): StoreUnusableError {
  const { message } = error as { message?: unknown };
  const why = isOfSystem(error) ? errnoOf(error) : message;
  return new StoreUnusableError(
    `cannot be written (${why}): ${writeAdvice(error)}, or give another directory`,
    error,
  );
}
