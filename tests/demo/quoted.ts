/** Shows a command line as a user types it. */

/** Returns an argument as a user types it, with a script on one line. */
export function quoted(argument: string): string {
  if (/^[\w@%+=:,./-]+$/.test(argument)) return argument;
  const line = argument.replace(/&\s*\n\s*/g, "& ").replace(/\s*\n\s*/g, "; ");
  return line.includes("'") ? `"${line}"` : `'${line}'`;
}
