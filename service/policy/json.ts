/** Reads JSON that must be exactly as documented: what is of another form is refused, with the place where it is. */

/** The policy file is not one. The message says where and what was wanted. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
}

/** A text. */
export function text(value: unknown, at: string): string {
  if (typeof value !== "string") throw wrong(at, "give a text in quotes");
  return value;
}

/** A list of texts. */
export function texts(value: unknown, at: string): string[] {
  return list(value, at).map((one, index) => text(one, `${at}[${index}]`));
}

/** A list. */
export function list(value: unknown, at: string): unknown[] {
  if (!Array.isArray(value)) throw wrong(at, "give a list in brackets");
  return value;
}

/** An object. */
export function object(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(at, "give an object in braces");
  return value as Record<string, unknown>;
}

/** The fields of an object, none but those known; true: one that must be there. */
export function fields<Known extends Record<string, boolean>>(
  value: unknown,
  at: string,
  known: Known,
): Readonly<Record<keyof Known, unknown>> {
  const given = object(value, at);
  const names = Object.keys(known).filter((name) => name !== "comment").map((name) => JSON.stringify(name)).join(", ");
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(known, name)) throw wrong(at, `unknown field ${JSON.stringify(name)}: give ${names}`);
  }
  for (const [name, required] of Object.entries(known)) {
    if (required && !Object.hasOwn(given, name)) throw wrong(at, `field "${name}" is missing`);
  }
  return given as Readonly<Record<keyof Known, unknown>>;
}

/** The error of a place in the file. */
export function wrong(at: string, what: string): PolicyError {
  return new PolicyError(`Policy file is wrong at "${at}": ${what}`);
}
