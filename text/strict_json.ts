/** Reads JSON files strictly: each value has its documented type, and each field is known. */
import { findDuplicateKey } from "./duplicate_key.ts";
import { oneLine } from "./unprintable.ts";

/** The text is not JSON, or a value has the wrong form. The message says where, and what to write. */
export class JsonFormError extends Error {
  override readonly name = "JsonFormError";

  /**
   * @param at the path of the value, such as `roles.builder[0]`; empty for the whole text
   * @param reason what is wrong and what to do
   */
  constructor(at: string, reason: string, options?: ErrorOptions) {
    super(at === "" ? reason : `at ${JSON.stringify(at)}: ${reason}`, options);
  }
}

/**
 * Parses a text.
 *
 * @param maxChars the longest text to accept, in UTF-16 code units
 * @throws {JsonFormError} when the text is longer, is not JSON, or has a field twice in one object
 *
 * @example
 * ```ts
 * const { running } = readFields(parseJson('{ "running": 20 }', 1_000), "", { running: true });
 * ```
 */
export function parseJson(text: string, maxChars: number): unknown {
  if (text.length > maxChars) throw new JsonFormError("", `it is too long: give at most ${maxChars} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new JsonFormError("", `it is not JSON: ${oneLine(cause)}`, { cause });
  }
  const duplicate = findDuplicateKey(text);
  if (duplicate === undefined) return value;
  throw new JsonFormError(duplicate.at, `field ${JSON.stringify(duplicate.key)} appears twice: keep one of them`);
}

/** Returns the value as a string. */
export function readString(value: unknown, at: string): string {
  if (typeof value !== "string") throw new JsonFormError(at, "give a string in quotes");
  return value;
}

/** Returns the value as a list. */
export function readList(value: unknown, at: string): unknown[] {
  if (!Array.isArray(value)) throw new JsonFormError(at, "give a list in brackets");
  return value;
}

/** Returns the value as a list of strings. */
export function readStrings(value: unknown, at: string): string[] {
  return readList(value, at).map((one, index) => readString(one, `${at}[${index}]`));
}

/** Returns the value as an object. */
export function readObject(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new JsonFormError(at, "give an object in braces");
  }
  return value as Record<string, unknown>;
}

/**
 * Returns the fields of an object.
 *
 * @param known the names of all fields that it may have; true for a field that it must have
 * @throws {JsonFormError} when a field is unknown or missing
 */
export function readFields<Known extends Readonly<Record<string, boolean>>>(
  value: unknown,
  at: string,
  known: Known,
): Readonly<Record<keyof Known, unknown>> {
  const given = readObject(value, at);
  const names = Object.keys(known).filter((name) => name !== "comment").map((name) => JSON.stringify(name)).join(", ");
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(known, name)) {
      throw new JsonFormError(at, `unknown field ${JSON.stringify(name)}: give ${names}`);
    }
  }
  for (const [name, isRequired] of Object.entries(known)) {
    if (isRequired && !Object.hasOwn(given, name)) throw new JsonFormError(at, `field "${name}" is missing`);
  }
  return given as Readonly<Record<keyof Known, unknown>>;
}

/**
 * Reads a field that may be absent.
 *
 * @param at the path of the object
 * @param read reads the value at its own path
 */
export function readOptional<Value>(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  at: string,
  read: (value: unknown, at: string) => Value,
): Value | undefined {
  const value = fields[name];
  return value === undefined ? undefined : read(value, at === "" ? name : `${at}.${name}`);
}
