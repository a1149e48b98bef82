/** Excerpts of a request for the audit log: texts of the caller, cut to a bounded length. */

/** The most characters of a command line in an entry. */
const MAX_ARGS_CHARS = 16_384;

/** The most characters of an id or a name. An id has 36. */
const MAX_TEXT_CHARS = 100;

/** The most characters of a template's parameter, as templates allow. */
const MAX_PARAMETER_CHARS = 1024;
/** The most parameters of an entry. No template has more. */
const MAX_PARAMETERS = 32;

/** Returns the arguments. If they are too long, the last word is the number of those left out. */
export function argsForEntry(args: readonly string[]): readonly string[] {
  return cut(args, "more arguments");
}

/** Returns the names of variables. If they are too long, the last word is the number of those left out. */
export function namesForEntry(env: Readonly<Record<string, string>>): readonly string[] {
  return cut(Object.keys(env), "more variables");
}

/** Returns the parameters of a template. Too many and too long ones are refused anyway, so they are cut here. */
export function parametersForEntry(parameters: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const shown = Object.entries(parameters).slice(0, MAX_PARAMETERS);
  return Object.fromEntries(shown.map(([name, value]) => [textForEntry(name), value.slice(0, MAX_PARAMETER_CHARS)]));
}

/** Returns the beginning of a text of the caller, such as a name. */
export function textForEntry(text: string): string {
  return text.slice(0, MAX_TEXT_CHARS);
}

function cut(words: readonly string[], what: string): readonly string[] {
  const kept: string[] = [];
  let chars = 0;
  for (const word of words) {
    // An empty word takes room too.
    chars += word.length + 1;
    if (chars > MAX_ARGS_CHARS) return [...kept, `… ${words.length - kept.length} ${what}`];
    kept.push(word);
  }
  return kept;
}
