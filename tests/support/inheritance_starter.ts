/** A starter that passes on everything it can, and a probe that shows what a process inherits from it. */
import assert from "node:assert/strict";

/** Shows the blocked signals. It runs without a shell, because dash unblocks them. */
export const MASK_PROBE: readonly [string, readonly string[]] = ["grep", ["^SigBlk", "/proc/self/status"]];

/** A program for sh that shows the other things that a process may inherit. */
export const PROBE = `
grep -E '^(SigIgn|CapInh|CapAmb|Umask)' /proc/self/status
echo "oom $(cat /proc/self/oom_score_adj)"
echo "nice $(nice)"
echo "policy $(cut -d' ' -f41 /proc/self/stat)"
echo "terminal $(cut -d' ' -f7 /proc/self/stat)"
command -v ionice >/dev/null && echo "disk $(ionice)"
echo "variable $HANDED_DOWN"
for descriptor in /proc/$$/fd/*; do readlink "$descriptor" | grep teleport-test-; done
echo end
`;

/** Checks the output of both probes, first the one of the mask. */
export function assertApart(
  said: string,
  what: string,
  options: { readonly nice?: number; readonly disk?: string } = {},
) {
  const { nice = 0, disk = "none: prio 0" } = options;
  const none = "0000000000000000";
  // The C library uses signals 32 and 33, and its posix_spawn(3) ignores them.
  const lines = said.trim().replace(/^(SigIgn:\t[0-9a-f]{7})[01][08]/m, "$100").split("\n");
  const expected = [
    ...[`SigBlk:\t${none}`, `Umask:\t0022`, `SigIgn:\t${none}`, `CapInh:\t${none}`, `CapAmb:\t${none}`],
    ...["oom 0", `nice ${nice}`, "policy 0", "terminal 0"],
    ...(said.includes("\ndisk ") ? [`disk ${disk}`] : []),
    ...["variable ", "end"],
  ];
  assert.deepEqual(lines, expected, what);
}

/** Tells whether a command exists and exits with 0. */
async function works(command: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

/**
 * Gives the beginning of a command line that starts a program. The starter has open descriptors, and ignored and blocked
 * signals. It sets umask, niceness, scheduling and capabilities where this host has the programs for that.
 *
 * @param path the path of a file that stays open
 * @param options.light leaves out everything that sends every start through the launcher
 */
export async function starter(path: string, options: { readonly light?: boolean } = {}): Promise<string[]> {
  const shell = await works("bash", "-c", ":") ? "bash" : "sh"; // dash has no descriptors above 9.
  const high = shell === "bash" ? `; exec 21<"${path}"` : "";
  const root = Deno.uid() === 0;
  const wrappers: string[][] = [];
  if (!options.light) wrappers.push(["nice", "-n", "5"]);
  if (!options.light && await works("chrt", "--batch", "0", "true")) wrappers.push(["chrt", "--batch", "0"]);
  if (!options.light && await works("ionice", "-c", "3", "true")) wrappers.push(["ionice", "-c", "3"]);
  if (await works("env", "--block-signal=USR2", "true")) {
    wrappers.push(["env", "--block-signal=USR2", "--ignore-signal=RTMIN"]);
  }
  const capability = "+net_bind_service";
  const ambient = ["setpriv", `--inh-caps=${capability}`, `--ambient-caps=${capability}`];
  if (root && await works("setpriv", ...ambient.slice(1), "true")) wrappers.push(ambient);
  return [
    ...[shell, "-c"],
    `exec 9<"${path}"${high}; trap '' QUIT HUP INT USR1
     ${options.light ? "" : "umask 077; echo 300 >/proc/self/oom_score_adj;"} export HANDED_DOWN=yes; exec "$@"`,
    ...[shell, ...wrappers.flat()],
  ];
}
