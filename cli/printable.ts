/** Text of others made safe to show: a job's arguments must not steer the reader's terminal. */

// Controls (C0, DEL, C1) move the cursor and recolour; the bidirectional marks make text read other than it is.
// deno-lint-ignore no-control-regex
const STEERING = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The text with every character that steers a terminal written as an escape, such as `\x1b` or `\u202e`. */
export function printable(text: string): string {
  return text.replace(STEERING, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, "0")}`;
  });
}

/** A command and its arguments on one line, each quoted where a shell would need it. */
export function printableCommand(command: string, args: readonly string[]): string {
  return [command, ...args].map(quoted).join(" ");
}

function quoted(argument: string): string {
  if (/^[\w@%+=:,./-]+$/.test(argument)) return argument;
  if (printable(argument) !== argument) {
    return `$'${printable(argument.replaceAll("\\", "\\\\").replaceAll("'", "\\'"))}'`;
  }
  return `'${argument.replaceAll("'", `'\\''`)}'`;
}
