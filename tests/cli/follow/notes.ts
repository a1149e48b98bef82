/** Records the notes that a command prints about outages. */

/** Returns a printer whose notes are in `told`. */
export function notes(): { readonly told: string[]; note(text: string): Promise<void> } {
  const told: string[] = [];
  return {
    told,
    note(text) {
      told.push(text);
      return Promise.resolve();
    },
  };
}
