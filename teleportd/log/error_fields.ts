/** Describes errors for the log. */
import type { LogFields } from "../../base/logger.ts";

/** Returns the message of an error, or the value as text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Returns the name and the message of an error that is a defect, such as `TypeError: x is not a function`. */
export function defectText(error: unknown): string {
  return String(error);
}

/** Returns the fields of an error that is a defect: its stack. */
export function defectFields(error: unknown): LogFields {
  return { stack: error instanceof Error ? error.stack : undefined };
}
