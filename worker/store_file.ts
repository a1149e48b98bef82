/** The file of a database: its owner's alone, one process's at a time, and of this version. */
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DirectoryInUseError, StoreUnusableError } from "./errors.ts";
import { migrate } from "./store_schema.ts";

/** The log before the database is cut back to this when it was larger: a job with long arguments must not cost for ever. */
const MAX_LOG_BYTES = 16_777_216;

/**
 * Opens a database, and makes it where it is not there, with its directory.
 *
 * @param path `:memory:`: kept nowhere
 * @throws {DirectoryInUseError} when another process has it
 * @throws {StoreUnusableError} when it is damaged, of a later version, or cannot be written
 */
export function openDatabase(path: string): DatabaseSync {
  if (path !== ":memory:") createPrivate(path);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    database.exec(
      `PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;
       PRAGMA journal_size_limit=${MAX_LOG_BYTES};`,
    );
    migrate(database);
    // Takes the lock now, also where there was nothing to migrate; and finds out whether it can be written.
    database.exec("BEGIN EXCLUSIVE; UPDATE meta SET value = value WHERE name = 'secret'; COMMIT;");
    return database;
  } catch (error) {
    database?.close();
    throw unusable(error);
  }
}

/** Environments hold secrets: the file is its owner's alone from the moment it exists, and so is its log. */
function createPrivate(path: string): void {
  try {
    Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    try {
      Deno.openSync(path, { createNew: true, write: true, mode: 0o600 }).close();
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      // Not opened: closing it would give away the lock of a store that this process has open; fcntl_locking(2).
      Deno.chmodSync(path, 0o600);
    }
  } catch (error) {
    throw notWritable(error);
  }
}

/** What went wrong with a database, in words that help. */
export function unusable(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreUnusableError) return error;
  if (/database is locked/.test(error.message)) return new DirectoryInUseError();
  if (/not a database|malformed|no such (table|column)/.test(error.message)) {
    return new StoreUnusableError("is damaged: put a copy in its place, or move it away to begin anew", error);
  }
  if (/readonly|unable to open|disk I\/O|is full/.test(error.message)) return notWritable(error);
  return error;
}

/** The system's code says why without naming a path; what SQLite says names none. */
function notWritable(error: unknown): StoreUnusableError {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const why = typeof code === "string" && /^E[A-Z]+$/.test(code) ? code : message;
  return new StoreUnusableError(`cannot be written (${why}): free or mend its disk, or give another directory`, error);
}
