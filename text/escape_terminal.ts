/** Text of others made safe to show: a job's arguments must not steer the reader's terminal. */
import { UNPRINTABLE } from "./unprintable.ts";

// Half of a surrogate pair is no character, and a terminal shows whatever it likes for it.
const STEERING = new RegExp(`${UNPRINTABLE.source}|\\p{Cs}`, "gu");

/**
 * The text with every character that steers a terminal, turns the reading direction or cannot be seen written as an escape
 * of bash(1), such as `\x1b`, `\u202e` or `\U000e0001`.
 */
export function escapeTerminal(text: string): string {
  return text.replace(STEERING, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    // In a shell \x80 and above are bytes, not characters.
    if (character < "\x80") return `\\x${code.padStart(2, "0")}`;
    return code.length > 4 ? `\\U${code.padStart(8, "0")}` : `\\u${code.padStart(4, "0")}`;
  });
}

/** A command and its arguments on one line, each quoted where a shell would need it. */
export function printableCommand(command: string, args: readonly string[]): string {
  return [command, ...args].map(quoted).join(" ");
}

function quoted(argument: string): string {
  if (/^[\w@%+=:,./-]+$/.test(argument)) return argument;
  if (escapeTerminal(argument) !== argument) {
    return `$'${escapeTerminal(argument.replaceAll("\\", "\\\\").replaceAll("'", "\\'"))}'`;
  }
  return `'${argument.replaceAll("'", `'\\''`)}'`;
}
