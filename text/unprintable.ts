/** The characters that are never shown as they are: they steer a terminal, or make text look other than it is. */

/**
 * Controls (C0, DEL, C1), separators of lines and paragraphs, marks of the direction of text, and characters that leave
 * no trace on a screen. These are Unicode's own classes, so the list follows the Unicode version of the runtime. U+FFF9 to
 * U+FFFB, marks of annotations, leave no trace either.
 */
export const UNPRINTABLE: RegExp =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

/** Writes each such character of a JSON text as `\uXXXX`, which means the same to every parser. */
export function escapeJson(json: string): string {
  return json.replace(UNPRINTABLE, escapeUnits);
}

/** Encodes a value as JSON on one line that is safe to show. */
export function jsonLine(value: unknown): string {
  return escapeJson(JSON.stringify(value));
}

/** Returns what an error says, on one line: JavaScript quotes what it could not parse, line breaks and all. */
export function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ").replace(
    UNPRINTABLE,
    escapeUnits,
  );
}

/** Makes a text safe to show on one line. Line breaks are escaped too, so that no text can look like another line. */
export function escapeLine(text: string): string {
  return text.replace(UNPRINTABLE, escapeUnits);
}

/** Makes a text of several lines safe to show. */
export function escapeText(text: string): string {
  return text.split("\n").map((line) => line.replace(UNPRINTABLE, escapeUnits)).join("\n");
}

/** A character beyond U+FFFF has two units, and each gets an escape. */
function escapeUnits(character: string): string {
  return character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
}
