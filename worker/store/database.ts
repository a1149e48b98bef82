/** The file of a database: its owner's alone, one process's at a time, and of this version. */
import { errorCode } from "../../base/error_code.ts";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { TeleportError } from "../errors.ts";
import { DirectoryInUseError, RecordDamagedError, StoreUnusableError } from "../storage_errors.ts";
import { errnoOf, writeAdvice } from "../errno.ts";
import { migrate } from "./migrations.ts";
import { checkWal } from "./wal_check.ts";

/** The log before the database is cut back to this when it was larger: a job with long arguments must not cost for ever. */
const MAX_LOG_BYTES = 16_777_216;

/**
 * A database up to this size is checked whole at each start: 100,000 jobs are 162 MB and take 0.65 s. Of a larger one the
 * long texts are left out, which have checksums of their own.
 */
const MAX_CHECKED_BYTES = 268_435_456;

/** The tables that hold no long texts. */
const NARROW_TABLES = ["meta", "jobs", "labels", "requests", "removals"];

/** Takes the lock and the log, or fails at once. */
const READ_ALONE = "PRAGMA busy_timeout=0; PRAGMA locking_mode=EXCLUSIVE; SELECT count(*) FROM sqlite_schema;";

/** What a database is opened with. */
export interface DatabaseOptions {
  /** The start of the system that this process runs in; empty or absent when it is not known. */
  readonly bootId?: string;
  /** Called with a sentence on what was lost, when the database could be opened. */
  readonly onWarning?: (sentence: string) => void;
}

/**
 * Opens a database, and makes it where it is not there, with its directory.
 *
 * @param path `:memory:`: kept nowhere
 * @throws {DirectoryInUseError} when another process has it
 * @throws {StoreUnusableError} when it is damaged, of a later version, or cannot be written
 */
export function openDatabase(path: string, options: DatabaseOptions = {}): DatabaseSync {
  const isFile = path !== ":memory:";
  if (isFile) createPrivate(path);
  let database: DatabaseSync | undefined;
  try {
    const warning = isFile ? applyLog(path, options.bootId ?? "") : undefined;
    database = new DatabaseSync(path);
    database.exec(
      `PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;
       PRAGMA journal_size_limit=${MAX_LOG_BYTES};`,
    );
    check(database);
    migrate(database);
    // Takes the lock now, also where there was nothing to migrate; and finds out whether it can be written.
    database.exec("BEGIN EXCLUSIVE; UPDATE meta SET value = value WHERE name = 'secret'; COMMIT;");
    // A frame that was written before its transaction ends may be written again, and a kill between is like damage.
    database.exec("PRAGMA cache_spill=OFF");
    if (warning !== undefined) options.onWarning?.(warning);
    return database;
  } catch (error) {
    database?.close();
    throw unusable(error);
  }
}

/**
 * Brings the last changes of a process that was killed into the database, and removes its log: what SQLite drops of it
 * must not stay behind newer changes, where it would look like damage.
 *
 * @returns a sentence when changes are lost that may have been acknowledged
 * @throws {StoreUnusableError} when the log was damaged since this start of the system; it stays as it is
 */
function applyLog(path: string, bootId: string): string | undefined {
  const log = `${path}-wal`;
  const found = checkWal(log);
  const bootPath = `${path}-boot`;
  if (found?.kind === "DAMAGED") {
    if (isLocked(path)) throw new DirectoryInUseError();
    // The kernel keeps every write over the end of a process, but pages may be lost when the machine loses power.
    if (bootId !== "" && readBoot(bootPath) === bootId) {
      throw new StoreUnusableError(
        `cannot be opened: "jobs.db-wal", which has its last changes, is damaged at byte ${found.at}: ` +
          'restore both from a copy, or move "jobs.db-wal" away to go on without its changes',
      );
    }
  }
  if (bytesOf(log) > 0) {
    const database = new DatabaseSync(path);
    try {
      database.exec(READ_ALONE);
    } finally {
      database.close();
    }
  }
  // On a full disk the log is still there, and is not of this start of the system alone.
  if (bytesOf(log) === 0) writeBoot(bootPath, bootId);
  if (found === undefined) return undefined;
  return found.kind === "TORN"
    ? 'the end of "jobs.db-wal" is not whole and was dropped: a kill or a full disk leaves this, and then nothing that ' +
      "was acknowledged is lost; else a disk that fails"
    : `"jobs.db-wal" is damaged at byte ${found.at}, and the changes from there on are lost: the machine was restarted ` +
      "since, and a power failure leaves this; jobs may be missing or have an earlier status";
}

/** Whether another process has the database open. Changes nothing: a reader brings no log into its database. */
function isLocked(path: string): boolean {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    database.exec(READ_ALONE);
    return false;
  } catch (error) {
    return isOfSqlite(error) && LOCKED.test(error.message);
  } finally {
    database.close();
  }
}

function bytesOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** The start of the system in which the log was begun. One that is not known costs no refusal. */
function readBoot(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path).trim();
  } catch {
    return undefined;
  }
}

function writeBoot(path: string, bootId: string): void {
  if (readBoot(path) === bootId) return;
  try {
    Deno.writeTextFileSync(path, `${bootId}\n`, { mode: 0o600 });
  } catch {
    // The disk is full: see above.
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
    'is damaged: put a copy in its place without "jobs.db-wal", or move both and "output" away to begin without its jobs',
    cause,
  );
}

// SQLite's result codes do not reach JavaScript in Deno 2.9: its own words are all that tells them apart. The statements
// are ours and never change, so that what the system did not cause is damage.
const LOCKED = /database is locked/;
const NOT_WRITABLE = /readonly|unable to open|disk I\/O|is full/;

function isOfSqlite(error: unknown): error is Error {
  return error instanceof Error && errorCode(error) === "ERR_SQLITE_ERROR";
}

/** What went wrong when a database was opened, in words that help. */
export function unusable(error: unknown): unknown {
  if (error instanceof TeleportError || !(error instanceof Error)) return error;
  if (error instanceof Deno.errors.NotCapable || isOfSystem(error)) return notWritable(error);
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

/** Whether a call of the system failed, such as one that reads the log. */
function isOfSystem(error: unknown): boolean {
  return /^E[A-Z0-9]+$/.test(errnoOf(error) ?? "");
}

/** The system's code says why without naming a path; what SQLite says names none. */
function notWritable(error: unknown): StoreUnusableError {
  const { message } = error as { message?: unknown };
  const why = isOfSystem(error) ? errnoOf(error) : message;
  const advice = writeAdvice(error);
  return new StoreUnusableError(`cannot be written (${why}): ${advice}, or give another directory`, error);
}
