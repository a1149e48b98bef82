/** Suggestions for an unknown word. A far guess misleads, so only close ones count. */

/** Shorter beginnings fit too much. */
const MIN_PREFIX_LENGTH = 2;

/** The words that the typed one begins, or that differ from it by one slip after the first letter. */
export function suggestions(typed: string, words: readonly string[]): string[] {
  const bare = (word: string) => word.replace(/^--/, "");
  return words.filter((word) => {
    const [a, b] = [bare(typed), bare(word)];
    if (a.length >= MIN_PREFIX_LENGTH && b.startsWith(a)) return true;
    return a[0] === b[0] && isOneSlip(a, b);
  });
}

/** Whether one letter was left out, added, changed, or swapped with its neighbour. */
function isOneSlip(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let same = 0;
  while (same < a.length && a[same] === b[same]) same += 1;
  const [restA, restB] = [a.slice(same), b.slice(same)];
  const isSwapped = restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2);
  return isSwapped || restA.slice(1) === restB.slice(1) || restA.slice(1) === restB || restA === restB.slice(1);
}
