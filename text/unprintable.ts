/** Escapes characters that control a terminal, or make text look different from what it is. */
import { errorMessage } from "../base/error_message.ts";

/**
 * Control characters (C0, DEL, C1), line and paragraph separators, direction marks and invisible characters. The Unicode
 * classes follow the Unicode version of Deno. U+FFF9 to U+FFFB are invisible marks of annotations.
 */
export const UNPRINTABLE: RegExp =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

/** Escapes these characters in a JSON text as `\uXXXX`. Every parser reads the same value. */
export function escapeJson(json: string): string {
  return json.replace(UNPRINTABLE, escapeUnits);
}

/** Encodes a value as one line of JSON that is safe to show. */
export function jsonLine(value: unknown): string {
  return escapeJson(JSON.stringify(value));
}

/** Returns the message of an error on one line. Messages of JavaScript can quote text with line breaks. */
export function oneLine(error: unknown): string {
  return errorMessage(error).replace(/\s+/g, " ").replace(
    UNPRINTABLE,
    escapeUnits,
  );
}

/** Makes a text safe to show on one line. Line breaks are escaped too, so that no text can look like another line. */
export function escapeLine(text: string): string {
  return text.replace(UNPRINTABLE, escapeUnits);
}

/** Escapes a text of several lines. */
export function escapeText(text: string): string {
  return text.split("\n").map((line) => line.replace(UNPRINTABLE, escapeUnits)).join("\n");
}

/** Escapes each UTF-16 code unit. A character above U+FFFF has two. */
function escapeUnits(character: string): string {
  return character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
}
