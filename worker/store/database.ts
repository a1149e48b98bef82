/** Opens the file of a database: private to its owner, used by one process at a time, and of the current version. */
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DirectoryInUseError, StoreUnusableError } from "../storage_errors.ts";
import { migrate } from "./migrations.ts";
import { damagedError, isLockedError, notWritableError, openError } from "./sqlite_error.ts";
import { checkWal } from "./wal_check.ts";

/** The size to which SQLite truncates the write-ahead log, so that a job with long arguments does not use disk space for ever. */
const MAX_LOG_BYTES = 16_777_216;

/**
 * The largest database that is checked completely at each start. 100,000 jobs are 162 MB and take 0.65 s. In a
 * larger database the long texts are skipped, because they have their own checksums.
 */
const MAX_CHECKED_BYTES = 268_435_456;

/** The tables without long texts. */
const NARROW_TABLES = ["meta", "jobs", "labels", "requests", "removals"];

/** Takes the lock and reads the log, or fails at once. */
const READ_ALONE = "PRAGMA busy_timeout=0; PRAGMA locking_mode=EXCLUSIVE; SELECT count(*) FROM sqlite_schema;";

/** The options of a database. */
export interface DatabaseOptions {
  /** The id of the current boot. Absent or empty when it is unknown. */
  readonly bootId?: string;
  /** Called with a sentence on the changes that were lost, when the database could be opened. */
  readonly onWarning?: (message: string) => void;
}

/**
 * Opens a database. Makes it and its directory when they do not exist.
 *
 * @param path the path of the file; `:memory:` for a database without a file
 * @throws {DirectoryInUseError} when another process uses it
 * @throws {StoreUnusableError} when it is damaged, of a newer version, or cannot be written
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
    // Takes the lock even if no migration ran, and fails if the database cannot be written.
    database.exec("BEGIN EXCLUSIVE; UPDATE meta SET value = value WHERE name = 'secret'; COMMIT;");
    // A frame that is written before its transaction ends may be rewritten. A kill in between would look like damage.
    database.exec("PRAGMA cache_spill=OFF");
    if (warning !== undefined) options.onWarning?.(warning);
    return database;
  } catch (error) {
    database?.close();
    throw openError(error);
  }
}

/**
 * Applies the write-ahead log of a killed process to the database and removes the log. The part that SQLite drops must not
 * remain after newer changes, where it would look like damage.
 *
 * @returns a warning when changes are lost that may have been acknowledged
 * @throws {StoreUnusableError} when the log was damaged since the system booted; the log is left unchanged
 */
function applyLog(path: string, bootId: string): string | undefined {
  const log = `${path}-wal`;
  const found = checkWal(log);
  const bootPath = `${path}-boot`;
  if (found?.kind === "DAMAGED") {
    if (isLocked(path)) throw new DirectoryInUseError();
    // The kernel keeps all writes of a killed process. Only a power failure can lose pages.
    if (bootId !== "" && readBoot(bootPath) === bootId) {
      throw new StoreUnusableError(
        `cannot be opened: "jobs.db-wal", which has its last changes, is damaged at byte ${found.at}. ` +
          'Restore both from a copy, or move "jobs.db-wal" away to continue without its changes',
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
  // On a full disk the log still exists, with changes from before this boot.
  if (bytesOf(log) === 0) writeBoot(bootPath, bootId);
  if (found === undefined) return undefined;
  return found.kind === "TORN"
    ? 'the end of "jobs.db-wal" was incomplete and was dropped. After a kill or on a full disk no acknowledged change ' +
      "is lost; otherwise check the disk"
    : `"jobs.db-wal" is damaged at byte ${found.at}, and all later changes are lost. The machine was restarted, and a ` +
      "power failure can cause this. Jobs may be missing or have an older status";
}

/** Returns true when another process has the database open. Changes nothing, because a reader does not apply the log. */
function isLocked(path: string): boolean {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    database.exec(READ_ALONE);
    return false;
  } catch (error) {
    return isLockedError(error);
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

/** Returns the id of the boot in which the log began; undefined when it cannot be read, and then nothing is refused. */
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
    // The disk is full. A missing id refuses nothing.
  }
}

/** Makes the file private from the moment it exists, and so its log: environments contain secrets. */
function createPrivate(path: string): void {
  try {
    Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    try {
      Deno.openSync(path, { createNew: true, write: true, mode: 0o600 }).close();
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      // The file must not be opened: closing it would release the lock of this process, fcntl_locking(2).
      Deno.chmodSync(path, 0o600);
    }
  } catch (error) {
    throw notWritableError(error);
  }
}

/** @throws {StoreUnusableError} when an index or a page is not as SQLite wrote it */
function check(database: DatabaseSync): void {
  const { page_count } = database.prepare("PRAGMA page_count").get() as { page_count: number };
  const { page_size } = database.prepare("PRAGMA page_size").get() as { page_size: number };
  const isLarge = page_count * page_size > MAX_CHECKED_BYTES;
  const tables = isLarge ? NARROW_TABLES.filter((table) => hasTable(database, table)) : [undefined];
  for (const table of tables) {
    const result = database.prepare(`PRAGMA integrity_check(${table ?? 1})`).get() as { integrity_check: string };
    if (result.integrity_check !== "ok") throw damagedError(new Error(result.integrity_check));
  }
}

function hasTable(database: DatabaseSync, table: string): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(table) !== undefined;
}
