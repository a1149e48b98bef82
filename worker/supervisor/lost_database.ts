/** Refuses a data directory whose database is gone, while other files show that it had jobs. */
import { join } from "node:path";
import { StoreUnusableError } from "../storage_errors.ts";

/**
 * Looks whether a directory without a database, or with an empty one, had jobs: a server must not begin without them
 * unasked, and SQLite deletes the log of an empty database.
 *
 * @throws {StoreUnusableError} when it had; nothing is changed
 */
export function checkDatabaseThere(directory: string): void {
  if (bytesOf(join(directory, "jobs.db")) > 0) return;
  const left = [
    ...(bytesOf(join(directory, "jobs.db-wal")) > 0 ? ['"jobs.db-wal"'] : []),
    ...(hasEntries(join(directory, "output")) ? ['"output"'] : []),
  ];
  if (left.length === 0) return;
  throw new StoreUnusableError(
    `is missing or empty, but ${left.join(" and ")} there ${left.length === 1 ? "is" : "are"} of its jobs: ` +
      `put a copy of "jobs.db" in its place, or move ${left.join(" and ")} away to begin without jobs`,
  );
}

/** The size of a file; 0 when it is not there, or cannot be seen: opening it says why. */
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
    // Not there.
  }
  return false;
}
