/** The size of a terminal, and its check. */
import { InvalidArgumentError } from "../errors.ts";

/** The size of a terminal in characters. */
export interface TerminalSize {
  /** From 1 to 10,000. */
  readonly columns: number;
  /** From 1 to 10,000. */
  readonly rows: number;
}

/** More than any screen has. The kernel takes up to 65,535. */
const MAX_TERMINAL_SIDE = 10_000;

/**
 * Checks the size of a terminal.
 *
 * @throws {InvalidArgumentError} when a side is not an integer from 1 to 10,000
 */
export function checkTerminalSize(size: TerminalSize): void {
  if (typeof size !== "object" || size === null) {
    throw new InvalidArgumentError("'terminal' must be an object with columns and rows");
  }
  for (const side of ["columns", "rows"] as const) {
    const value: unknown = size[side];
    if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_TERMINAL_SIDE) continue;
    const got = typeof value === "number" ? value : typeof value;
    throw new InvalidArgumentError(`'terminal.${side}' must be an integer from 1 to ${MAX_TERMINAL_SIDE}, got ${got}`);
  }
}
