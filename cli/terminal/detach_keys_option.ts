/** The option that sets the keys that leave a job. */
import type { Command } from "commander";
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from "./detach_keys.ts";

/** The parsed option. */
export interface DetachKeysFlags {
  /** The bytes of the keys. Empty: no keys leave. Absent: those of docker. */
  readonly detachKeys?: Uint8Array;
}

/** Adds the option to a command. */
export function addDetachKeysOption(command: Command): Command {
  return command.option(
    "--detach-keys <KEYS>",
    `the keys that leave the job running (default: ${DEFAULT_DETACH_KEYS}); none: no keys, not even ~.`,
    parseDetachKeys,
  );
}

/** Returns the keys that leave; undefined when none do. */
export function detachKeysOf({ detachKeys = parseDetachKeys(DEFAULT_DETACH_KEYS) }: DetachKeysFlags) {
  return detachKeys.length === 0 ? undefined : detachKeys;
}
