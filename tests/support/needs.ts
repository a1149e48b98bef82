/**
 * The one place that knows what a test may need of the machine. A test whose need is missing is skipped and says so in
 * its name, as `NAME (skipped: REASON)`. `deno task test` prints these reasons at its end.
 */

/** A name of a test with its `ignore`, as the first argument of `Deno.test`. */
export interface TestName {
  readonly name: string;
  readonly ignore: boolean;
}

/** The checks: each gives the reason why the need is missing, or undefined. */
const CHECKS = {
  cc: () => works("cc", "--version") ? undefined : "needs a C compiler as cc",
  root: () => Deno.uid() === 0 ? undefined : "needs root",
  nobody: () => works("id", "-u", "nobody") ? undefined : "needs a user nobody",
  openssl: () => works("openssl", "version") ? undefined : "needs openssl",
  perl: () => works("perl", "-v") ? undefined : "needs perl",
  faketime: () => works("faketime", "-f", "+0", "true") ? undefined : "needs faketime",
  prlimit: () => works("prlimit", "--version") ? undefined : "needs prlimit",
  setfacl: () => works("setfacl", "--version") ? undefined : "needs setfacl",
  setpriv: () => works("setpriv", "--version") ? undefined : "needs setpriv",
  bash: () => works("bash", "--version") ? undefined : "needs bash",
  zsh: () => works("zsh", "--version") ? undefined : "needs zsh",
  fish: () => works("fish", "--version") ? undefined : "needs fish",
  mandoc: () => works("sh", "-c", "command -v mandoc") ? undefined : "needs mandoc",
  vi: () => works("vi", "--version") ? undefined : "needs vi (Vim)",
  less: () => works("less", "--version") ? undefined : "needs less",
  pty: () => works("python3", "-c", "import pty") ? undefined : "needs python3 with its module pty",
} as const satisfies Record<string, () => string | undefined>;

/** A need that this file can check. */
export type Need = keyof typeof CHECKS;

const answers = new Map<Need, string | undefined>();

/** Gives the reason why a need is missing on this machine, or undefined. */
export function missing(...needs: readonly Need[]): string | undefined {
  for (const need of needs) {
    if (!answers.has(need)) answers.set(need, CHECKS[need]());
    const reason = answers.get(need);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/**
 * Names a test that needs something of the machine.
 *
 * @example
 * ```ts ignore
 * Deno.test(needing("openssl", "openssl accepts a new certificate"), async () => {});
 * ```
 */
export function needing(needs: Need | readonly Need[], name: string): TestName {
  return skippedIf(missing(...[needs].flat() as Need[]), name);
}

/**
 * Names a test that is skipped for a reason that another file found.
 *
 * @param reason why the test is skipped; undefined when it can run
 */
export function skippedIf(reason: string | undefined, name: string): TestName {
  return { name: reason === undefined ? name : `${name} (skipped: ${reason})`, ignore: reason !== undefined };
}

/** Tells whether a command exists and exits with 0. */
function works(command: string, ...args: readonly string[]): boolean {
  try {
    return new Deno.Command(command, { args: [...args], stdin: "null", stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}
