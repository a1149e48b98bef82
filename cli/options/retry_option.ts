/** The option that sets how long a command bridges an outage of the server. */
import type { Command } from "commander";
import { parseDurationMs } from "../../units/duration.ts";

/** The longest time, in milliseconds. */
const MAX_RETRY_FOR_MS = 24 * 3_600_000;

/** The parsed option. */
export interface RetryFlags {
  /** In milliseconds. */
  readonly retryFor?: number;
}

/** Adds the option to a command. */
export function addRetryOption(command: Command): Command {
  return command.option(
    "--retry-for <DURATION>",
    "how long to try again during an outage of the server (default: 2m; 0s: not at all)",
    (text) => parseDurationMs(text, { name: "--retry-for", minMs: 0, maxMs: MAX_RETRY_FOR_MS }),
  );
}
