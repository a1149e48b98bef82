/** The sentence about a job that could not be started. */
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { shellWord } from "../../text/escape_terminal.ts";

/** The longest command that a hint repeats, in characters. */
const MAX_COMMAND = 200;

/**
 * Returns why a job could not be started. A command with blanks is often a whole command line in quotes: no shell splits
 * it, so the sentence says how to write it.
 */
export function failureText({ error, error_code, command, args }: JobStatus): string {
  const isCommandLine = error_code === "COMMAND_NOT_FOUND" && args.length === 0 && /\S\s+\S/.test(command);
  if (!isCommandLine || command.length > MAX_COMMAND) return error;
  return `${error}. No shell splits a command: give its arguments apart from each other, or run sh -c ${
    shellWord(command)
  }`;
}
