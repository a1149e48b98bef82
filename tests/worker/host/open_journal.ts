/** Journals of ends for tests, and syncs that are counted or fail. */
import assert from "node:assert/strict";
import { EndJournal, type EndJournalOptions } from "../../../worker/host/end_journal.ts";
import { journalPath } from "../../../worker/host/end_line.ts";

/** Opens a journal in a directory. Its errors fail the test. */
export function openIn(
  directory: string,
  options: Partial<EndJournalOptions> & { readonly errors?: unknown[] } = {},
): EndJournal {
  const { errors } = options;
  return new EndJournal({
    ...options,
    path: journalPath(directory),
    onError: (error) => errors === undefined ? assert.fail(String(error)) : void errors.push(error),
  });
}

/** Counts the calls of fdatasync(2), and fails those that the test wants to fail. */
export async function countingSyncs(use: (syncs: { count: number; failure?: Error }) => Promise<void>): Promise<void> {
  const original = Deno.FsFile.prototype.syncData;
  const syncs: { count: number; failure?: Error } = { count: 0 };
  Deno.FsFile.prototype.syncData = function () {
    syncs.count += 1;
    return syncs.failure === undefined ? original.call(this) : Promise.reject(syncs.failure);
  };
  try {
    await use(syncs);
  } finally {
    Deno.FsFile.prototype.syncData = original;
  }
}
