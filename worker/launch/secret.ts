/** The secret of a start: the name with which the messages of its launcher begin. */

/** Returns a new secret. Its first byte starts no usual message, so output is rarely held back to compare it. */
export function newSecret(): string {
  return `\x01${crypto.randomUUID()}`;
}
