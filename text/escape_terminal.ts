/** Escapes text of other users, such as the arguments of a job, so that it cannot control a terminal. */
import { UNPRINTABLE } from "./unprintable.ts";

// Terminals show half of a surrogate pair in different ways.
const UNSAFE = new RegExp(`${UNPRINTABLE.source}|\\p{Cs}`, "gu");

/**
 * Escapes every character that controls a terminal, changes the reading direction or is invisible. The escapes are those
 * of bash(1), such as `\x1b`, `\u202e` or `\U000e0001`.
 */
export function escapeTerminal(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    // In a shell, \x80 and above are bytes, not characters.
    if (character < "\x80") return `\\x${code.padStart(2, "0")}`;
    return code.length > 4 ? `\\U${code.padStart(8, "0")}` : `\\u${code.padStart(4, "0")}`;
  });
}

/** Formats a command and its arguments on one line. Quotes the arguments that a shell would change. */
export function formatCommand(command: string, args: readonly string[]): string {
  return [command, ...args].map(shellWord).join(" ");
}

/** Quotes a text as one word of a shell, where that is needed. Unprintable characters become escapes of bash(1). */
export function shellWord(argument: string): string {
  if (/^[\w@%+=:,./-]+$/.test(argument)) return argument;
  if (escapeTerminal(argument) !== argument) {
    return `$'${escapeTerminal(argument.replaceAll("\\", "\\\\").replaceAll("'", "\\'"))}'`;
  }
  return `'${argument.replaceAll("'", `'\\''`)}'`;
}
