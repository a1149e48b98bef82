/** The output of `deno test`, read: how many tests passed, which failed, and which were skipped and why. */

/** The counts of a run, or of several. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

/** The report of one process. */
export interface Report {
  /** Absent where the process ended without a summary. */
  readonly counts?: Counts;
  /** The reason of each skipped test or step. A test that is ignored without a reason has its name here. */
  readonly skipped: readonly string[];
  /** The failed tests, each with its place, such as `a test => ./tests/cli/a_test.ts:15:8`. */
  readonly failures: readonly string[];
}

/** Reads the output of `deno test` without colours. */
export function readReport(output: string): Report {
  const skipped = [...output.matchAll(/^(.*) \.\.\. ignored \(.*\)$/gm)].map(([, name = ""]) =>
    /\(skipped: (.*)\)$/.exec(name)?.[1] ?? `no reason: ${name.trim()}`
  );
  const summary = /^(?:ok|FAILED) \| (\d+) passed(?: \(.*?\))? \| (\d+) failed(?: \(.*?\))?(?: \| (\d+) ignored)?/m
    .exec(output);
  const [, listed = ""] = /^ FAILURES \n\n([^]*?)\n\n/m.exec(output) ?? [];
  const failures = listed.split("\n").filter((line) => line !== "");
  if (summary === null) return { skipped, failures };
  const [passed = 0, failed = 0, ignored = 0] = summary.slice(1).map((count) => Number(count ?? 0));
  return { counts: { passed, failed, ignored }, skipped, failures };
}

/** Adds the counts of several processes. */
export function sum(counts: readonly Counts[]): Counts {
  const total = (of: (one: Counts) => number) => counts.reduce((sum, one) => sum + of(one), 0);
  return {
    passed: total((one) => one.passed),
    failed: total((one) => one.failed),
    ignored: total((one) => one.ignored),
  };
}

/** Gives one line for each reason why tests were skipped, the most frequent first. */
export function skipLines(reasons: readonly string[]): string[] {
  const groups = [...Map.groupBy(reasons, (reason) => reason)].sort(([, a], [, b]) => b.length - a.length);
  return groups.map(([reason, all]) => `  ${all.length} ${all.length === 1 ? "test" : "tests"}: ${reason}`);
}
