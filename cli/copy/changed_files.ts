/** The end of a sender whose files changed while they were read. */
import type { ProblemLines } from "./text_lines.ts";

/** The sentences of GNU tar about a file that grew or was replaced. The archive has a whole version of it. */
const CHANGED = /: (file changed as we read it|file removed before we read it|File removed before we read it)$/;

/**
 * Returns whether a sender succeeded. GNU tar ends with 1 when a file changed while it was read, such as a log. A file
 * that became shorter does not count: its end was filled with zeros.
 */
export function isSent(exitCode: number | undefined, { lines }: ProblemLines): boolean {
  return exitCode === 0 || (exitCode === 1 && lines.length > 0 && lines.every((line) => CHANGED.test(line)));
}
