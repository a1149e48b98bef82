/** Suggestions for an unknown word. Only similar words count, because a wild guess misleads. */

/** Shorter prefixes match too many words. */
const MIN_PREFIX_LENGTH = 2;

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
