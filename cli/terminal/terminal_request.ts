/** The terminal of a new job: its size and its kind are those of this terminal. */
import { UsageError } from "../../units/usage_error.ts";
import type { Sent } from "../../proto/service.ts";
import type { JobRequest } from "../../proto/teleport/v1/job_worker.ts";
import type { Terminal } from "../io.ts";

/** The kind that the server gives to jobs whose request has none. */
const SERVERS_KIND = "xterm-256color";

/**
 * Adds a terminal to a request. The job gets the variable TERM of this terminal, unless the request has one or a template.
 */
export function withTerminal(request: Sent<JobRequest>, terminal: Terminal): Sent<JobRequest> {
  const { kind } = terminal;
  const isWanted = kind !== undefined && /^[\w.+-]{1,64}$/.test(kind) && kind !== SERVERS_KIND && !request.template;
  const env = isWanted && request.env?.TERM === undefined ? { ...request.env, TERM: kind } : request.env;
  return { ...request, env, terminal: terminal.size() };
}

/**
 * Checks that this terminal can be that of a job.
 *
 * @throws {UsageError} when the standard input is not a terminal
 */
export function checkTerminal(terminal: Terminal): void {
  if (!terminal.isTerminal()) {
    throw new UsageError("--tty needs a terminal on the standard input: leave out -t, or add --detach");
  }
}
