/** Describes errors for the log. */
import type { LogFields } from "../../base/logger.ts";

/** Returns the message of an error, or another thrown value as text. Never throws. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : textOf(error);
}

/** Returns the name and the message of a defect, such as `TypeError: x is not a function`. Never throws. */
export function defectText(error: unknown): string {
  return textOf(error);
}

/** Returns the fields of a defect: its stack. */
export function defectFields(error: unknown): LogFields {
  return { stack: error instanceof Error ? error.stack : undefined };
}

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return `a value of type ${typeof value}`; // Such as an object without a prototype.
  }
}
