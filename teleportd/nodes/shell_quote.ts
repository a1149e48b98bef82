/** Quotes words for a POSIX shell. */

/** Returns a word as one argument of a shell command. */
export function quoteWord(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
