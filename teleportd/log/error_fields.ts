/** Describes errors for the log. */
import type { LogFields } from "../../base/logger.ts";

/** Returns the name and the message of a defect, such as `TypeError: x is not a function`. Never throws. */
export function defectText(error: unknown): string {
  try {
    return String(error);
  } catch {
    return `a value of type ${typeof error}`; // Such as an object without a prototype.
  }
}

/** Returns the fields of a defect: its stack. */
export function defectFields(error: unknown): LogFields {
  return { stack: error instanceof Error ? error.stack : undefined };
}
