/** Values in error texts. */

const MAX_CHARS = 100;

/** Quotes a text as JSON, cut after 100 characters: nothing in it can disturb a terminal or a log. */
export function quote(text: string): string {
  return JSON.stringify(text.length <= MAX_CHARS ? text : `${text.slice(0, MAX_CHARS)}…`);
}
