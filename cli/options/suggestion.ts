/** Suggestions for an unknown word. Only similar words count, because a wild guess misleads. */

/** Shorter prefixes match too many words. */
const MIN_PREFIX_LENGTH = 2;

/** The commands for words of other programs and of daily language, best first. */
const MEANINGS: Readonly<Record<string, readonly string[]>> = {
  config: ["context"],
  connect: ["attach"],
  continue: ["resume"],
  copy: ["cp"],
  create: ["register"],
  delete: ["rm"],
  describe: ["status"],
  exec: ["run"],
  freeze: ["pause"],
  import: ["login"],
  inspect: ["status"],
  jobs: ["list"],
  kill: ["signal", "stop"],
  monitor: ["top", "watch"],
  ps: ["list"],
  remove: ["rm"],
  scp: ["cp"],
  server: ["context"],
  shell: ["run"],
  show: ["status"],
  ssh: ["run"],
  submit: ["run"],
  tail: ["logs"],
  terminate: ["stop"],
  top: ["watch", "list"],
  unpause: ["resume"],
  version: ["info"],
};

/** Returns the commands that the word means, or else the ones that are spelled like it. */
export function commandSuggestions(typed: string, commands: readonly string[]): string[] {
  const meant = Object.hasOwn(MEANINGS, typed) ? MEANINGS[typed]! : [];
  const known = meant.filter((name) => commands.includes(name));
  return known.length > 0 ? known : suggestions(typed, commands);
}

/** Returns the words that start with the given one, or differ from it by one typing error after the first letter. */
export function suggestions(typed: string, words: readonly string[]): string[] {
  const withoutDashes = (word: string) => word.replace(/^--/, "");
  return words.filter((word) => {
    const [a, b] = [withoutDashes(typed), withoutDashes(word)];
    if (a.length >= MIN_PREFIX_LENGTH && b.startsWith(a)) return true;
    return a[0] === b[0] && isOneTypingError(a, b);
  });
}

/** Returns whether one letter was left out, added, changed, or swapped with the next one. */
function isOneTypingError(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let common = 0;
  while (common < a.length && a[common] === b[common]) common += 1;
  const [restA, restB] = [a.slice(common), b.slice(common)];
  const isSwapped = restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2);
  return isSwapped || restA.slice(1) === restB.slice(1) || restA.slice(1) === restB || restA === restB.slice(1);
}
