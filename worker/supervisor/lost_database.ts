/** Refuses a data directory whose database is missing although other files show that it had jobs. */
import { join } from "node:path";
import { StoreUnusableError } from "../storage_errors.ts";

/**
 * Checks a directory whose database is missing or empty. A server must not silently start without the jobs of the
 * directory, and SQLite would delete the write-ahead log of an empty database.
 *
 * @throws {StoreUnusableError} when the directory had jobs; no file is changed
 */
export function checkDatabaseThere(directory: string): void {
  if (bytesOf(join(directory, "jobs.db")) > 0) return;
  const left = [
    ...(bytesOf(join(directory, "jobs.db-wal")) > 0 ? ['"jobs.db-wal"'] : []),
    ...(hasEntries(join(directory, "output")) ? ['"output"'] : []),
  ];
  if (left.length === 0) return;
  throw new StoreUnusableError(
    `is missing or empty, but the directory has ${left.join(" and ")} of its jobs: ` +
      `put a copy of "jobs.db" in its place, or move ${left.join(" and ")} away to start without jobs`,
  );
}

/** Returns the size of a file in bytes; 0 when it cannot be read. Opening the database then reports the reason. */
function bytesOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}

function hasEntries(path: string): boolean {
  try {
    for (const _ of Deno.readDirSync(path)) return true;
  } catch {
    // The directory does not exist.
  }
  return false;
}
