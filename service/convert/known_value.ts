/** Values of enumerations that this server knows. */
import { InvalidArgumentError } from "../../mod.ts";

/**
 * Returns a value of an enumeration. A value of a later definition arrives as a number.
 *
 * @throws {InvalidArgumentError} when it is a number, because a guess could be the opposite of what the client meant
 */
export function knownValue<Name extends string>(field: string, value: Name): Name {
  if (typeof value === "string") return value;
  throw new InvalidArgumentError(`Unknown ${field} ${value}: give one that this server knows`);
}
