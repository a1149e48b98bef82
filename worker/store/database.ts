/** The file of a database: its owner's alone, one process's at a time, and of this version. */
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DirectoryInUseError, RecordDamagedError, StoreUnusableError, TeleportError } from "../errors.ts";
import { errnoOf, writeAdvice } from "../errno.ts";
import { migrate } from "./migrations.ts";

/** The log before the database is cut back to this when it was larger: a job with long arguments must not cost for ever. */
const MAX_LOG_BYTES = 16_777_216;

/**
 * A database up to this size is checked whole at each start: 100,000 jobs are 162 MB and take 0.65 s. Of a larger one the
 * long texts are left out, which have checksums of their own.
 */
const MAX_CHECKED_BYTES = 268_435_456;

/** The tables that hold no long texts. */
const NARROW_TABLES = ["meta", "jobs", "labels", "requests", "removals"];

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
    check(database);
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

/** @throws {StoreUnusableError} when an index or a page is not as SQLite wrote it */
function check(database: DatabaseSync): void {
  const { page_count } = database.prepare("PRAGMA page_count").get() as { page_count: number };
  const { page_size } = database.prepare("PRAGMA page_size").get() as { page_size: number };
  const isLarge = page_count * page_size > MAX_CHECKED_BYTES;
  const tables = isLarge ? NARROW_TABLES.filter((table) => has(database, table)) : [undefined];
  for (const table of tables) {
    const found = database.prepare(`PRAGMA integrity_check(${table ?? 1})`).get() as { integrity_check: string };
    if (found.integrity_check !== "ok") throw damagedAtStart(new Error(found.integrity_check));
  }
}

function has(database: DatabaseSync, table: string): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(table) !== undefined;
}

function damagedAtStart(cause: unknown): StoreUnusableError {
  return new StoreUnusableError(
    "is damaged: put a copy in its place, or move it away to begin without its jobs",
    cause,
  );
}

// SQLite's result codes do not reach JavaScript in Deno 2.9: its own words are all that tells them apart. The statements
// are ours and never change, so that what the system did not cause is damage.
const LOCKED = /database is locked/;
const NOT_WRITABLE = /readonly|unable to open|disk I\/O|is full/;

function isOfSqlite(error: unknown): error is Error {
  return error instanceof Error && "code" in error && error.code === "ERR_SQLITE_ERROR";
}

/** What went wrong when a database was opened, in words that help. */
export function unusable(error: unknown): unknown {
  if (error instanceof TeleportError || !(error instanceof Error)) return error;
  if (error instanceof Deno.errors.NotCapable) return notWritable(error);
  if (isOfSqlite(error) && LOCKED.test(error.message)) return new DirectoryInUseError();
  if (isOfSqlite(error) && NOT_WRITABLE.test(error.message)) return notWritable(error);
  return damagedAtStart(error);
}

/** What went wrong when a database was written to: what only the disk keeps from being written is no damage. */
export function unwritten(error: unknown): unknown {
  const isDamage = isOfSqlite(error) && !LOCKED.test(error.message) && !NOT_WRITABLE.test(error.message);
  return isDamage ? new RecordDamagedError(error) : error;
}

/** What went wrong when a database was read: SQLite's words, or a row that cannot be decoded. */
export function unread(error: unknown): unknown {
  return error instanceof TeleportError ? error : new RecordDamagedError(error);
}

/** The system's code says why without naming a path; what SQLite says names none. */
function notWritable(error: unknown): StoreUnusableError {
  const errno = errnoOf(error);
  const { message } = error as { message?: unknown };
  const why = errno !== undefined && /^E[A-Z]+$/.test(errno) ? errno : message;
  const advice = writeAdvice(error) ?? "free or mend its disk";
  return new StoreUnusableError(`cannot be written (${why}): ${advice}, or give another directory`, error);
}
