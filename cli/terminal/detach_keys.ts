/** The sequence of keys that leaves a terminal, as its option has it. */
import { UsageError } from "../../units/usage_error.ts";

/** The keys of docker. */
export const DEFAULT_DETACH_KEYS = "ctrl-p,ctrl-q";

/** The most keys of a sequence. */
const MAX_KEYS = 16;

/**
 * Parses a sequence of keys: single characters, or ctrl- with a letter or one of `@ [ \ ] ^ _`, separated by commas.
 *
 * @returns the bytes of the keys; none for "none"
 * @throws {UsageError} for any other text
 */
export function parseDetachKeys(text: string): Uint8Array {
  if (text === "none") return new Uint8Array();
  const keys = text.split(",").map(keyByte);
  if (keys.length > MAX_KEYS || keys.some((key) => key === undefined)) {
    throw new UsageError(
      `Invalid keys "${text}" for --detach-keys: give up to ${MAX_KEYS} keys such as ctrl-p,ctrl-q or ctrl-a,d, or none`,
    );
  }
  return new Uint8Array(keys as number[]);
}

function keyByte(key: string): number | undefined {
  const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(key)?.[1];
  if (control !== undefined) return control.toUpperCase().charCodeAt(0) - 0x40;
  return /^[!-~]$/.test(key) ? key.charCodeAt(0) : undefined;
}

/** Describes keys for people: `Ctrl-P Ctrl-Q`. */
export function detachKeysText(keys: Uint8Array): string {
  const name = (key: number) => key < 0x20 ? `Ctrl-${String.fromCharCode(key + 0x40)}` : String.fromCharCode(key);
  return [...keys].map(name).join(" ");
}
