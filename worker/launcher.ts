/**
 * What must happen to a process before its program runs, in one place: a shell does it and becomes the program, so the
 * pid is kept and no process stays. Nothing of a user's is in the script; all of it travels as arguments and variables.
 *
 * The order is: join the cgroup, umask, limits, niceness, isolation, user and privileges, directory, environment, exec.
 *
 * How a failure is told apart from the job's own exit: the shell's name (`$0`) is a secret of this launch. Its standard
 * error is the job's, and all that comes on it before the secret and ">" is the launcher's word on what went wrong, and
 * never the job's output. Right behind that comes exec. If that fails, the shell says so, and a shell begins what it
 * says with its name: the secret again, and ":". The program never learns the secret, so it cannot say either.
 *
 * Before there is the program, there are none of its variables: a LD_PRELOAD would be loaded into the launcher, and run
 * as root where the job's user is another. They travel under other names, and the shell exports them as its last act.
 */
import { type StartFailure, startFailure } from "./command.ts";
import { type IsolationPlan, isolationPrivileges, isolationWrappers } from "./host_isolation.ts";
import { RLIMIT_KINDS, RLIMIT_NAMES, type RlimitName, type Rlimits } from "./command_limits.ts";

const SHELL = "/bin/sh";

/** Where the launcher's own programs are. */
export const LAUNCHER_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** As whom a process runs. */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
}

/** What must happen before the program runs. */
export interface LaunchPlan {
  /** The directory of the cgroup that is joined. */
  readonly cgroupDir?: string;
  readonly umask?: number;
  readonly rlimits?: Rlimits;
  /** Added to the server's own niceness. */
  readonly nice?: number;
  readonly isolation?: IsolationPlan;
  readonly credentials?: Credentials;
  /** No program may give privileges that its caller has not: set-user-id and file capabilities are of no effect. */
  readonly noNewPrivileges?: boolean;
}

/** The program that a launch ends in. */
export interface Launched {
  /** As the user named it, for error messages. */
  readonly name: string;
  /** An absolute path. */
  readonly path: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** Whether anything must happen before the program runs; where not, it is spawned directly. */
export function needsLauncher(plan: LaunchPlan): boolean {
  return Object.values(plan).some((value) =>
    value !== undefined && value !== false && !(typeof value === "object" && Object.keys(value).length === 0)
  );
}

/** What the launcher says of a failure is a line; of a tool that says more, this is enough. */
const MAX_WORD_BYTES = 4_096;

/** The shell's own doing; a program gets them only if its job gave them. SHLVL comes back where sh is bash. */
const SHELL_VARIABLES = "LC_ALL PWD OLDPWD SHLVL";

/** Names that every shell takes in and gives on; of others it has its own idea, or drops them. */
const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const SHELLS_OWN = new Set(
  ("_ SHLVL OPTIND OPTARG LINENO PPID UID EUID RANDOM SRANDOM SECONDS SHELLOPTS GROUPS DIRSTACK FUNCNAME HISTCMD " +
    "PIPESTATUS POSIXLY_CORRECT EPOCHSECONDS EPOCHREALTIME IFS").split(" "),
);

/** One start through the launcher: what to spawn, and what to make of its standard error and end. */
export class Launch {
  readonly path = SHELL;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly #name: string;
  readonly #opening: Uint8Array;
  readonly #refrain: Uint8Array;
  readonly #onOpen: () => void;
  #phase: "launching" | "opening" | "running" | "failed" = "launching";
  #held: Uint8Array = new Uint8Array();

  /**
   * @param markVariable the variable that the launcher itself must carry too
   * @param onOpen called when everything was done and only exec is left
   */
  constructor(plan: LaunchPlan, program: Launched, markVariable: string, onOpen: () => void) {
    // It begins with a byte that nobody begins with: what may be its beginning is held back.
    const secret = `\x01${crypto.randomUUID()}`;
    this.#name = program.name;
    this.#opening = encoder.encode(`${secret}>`);
    this.#refrain = encoder.encode(`${secret}:`);
    this.#onOpen = onOpen;
    const prefix = freePrefix(program.env);
    const { passed, odd } = sorted(program.env, markVariable);
    this.env = {
      PATH: LAUNCHER_PATH,
      LC_ALL: "C",
      ...(program.env[markVariable] === undefined ? {} : { [markVariable]: program.env[markVariable] }),
      ...Object.fromEntries(passed.map((text, index) => [`${prefix}_${index}`, text])),
    };
    // Neither the user nor the mounts are those by which the directory was entered.
    const entersAnew = plan.credentials !== undefined || plan.isolation !== undefined;
    const last = lastStage(prefix, entersAnew);
    const lastArgs = [
      ...(entersAnew ? [program.cwd] : []),
      `${passed.length}`,
      // What no shell passes on goes through env(1), which takes variables of any name.
      ...(odd.length === 0 ? [] : ["/usr/bin/env", "--", ...odd]),
      // And a path with "=" would be one more of them.
      ...(odd.length > 0 && program.path.includes("=") ? ["/usr/bin/nice", "-n", "0"] : []),
      program.path,
      ...program.args,
    ];
    const { script, args } = firstStage(plan);
    const wrappers = wrappersOf(plan, secret);
    this.args = wrappers.length === 0
      ? ["-c", script + last, secret, ...args, ...lastArgs]
      : ["-c", `${script}exec "$@"`, secret, ...args, ...wrappers, SHELL, "-c", FAIL + last, secret, ...lastArgs];
  }

  /**
   * Takes what came on standard error, and returns what of it is the job's; undefined: nothing.
   *
   * @param chunk is not kept
   */
  pass(chunk: Uint8Array): Uint8Array | undefined {
    if (this.#phase === "running") return chunk;
    this.#held = joined(this.#held, chunk);
    if (this.#phase === "failed") {
      this.#held = this.#held.slice(0, MAX_WORD_BYTES);
      return undefined;
    }
    if (this.#phase === "launching") {
      const at = indexOf(this.#held, this.#opening);
      if (at < 0) {
        // Its end may be the beginning of the opening.
        const tooMuch = this.#held.length - MAX_WORD_BYTES - this.#opening.length;
        if (tooMuch > 0) this.#held = joined(this.#held.subarray(0, MAX_WORD_BYTES), this.#held.slice(-64));
        return undefined;
      }
      this.#phase = "opening";
      this.#held = this.#held.slice(at + this.#opening.length);
      this.#onOpen();
    }
    if (startsWith(this.#held, this.#refrain)) {
      this.#phase = "failed";
      return undefined;
    }
    // So short a beginning may yet become the shell's word; if nothing follows, `rest` has it.
    if (this.#held.length < this.#refrain.length && startsWith(this.#refrain, this.#held)) return undefined;
    this.#phase = "running";
    return this.#rest();
  }

  /** What is the job's of what was held back when its standard error ends; undefined: nothing. */
  rest(): Uint8Array | undefined {
    if (this.#phase !== "opening") return undefined;
    this.#phase = "running";
    return this.#rest();
  }

  #rest(): Uint8Array | undefined {
    const rest = this.#held;
    this.#held = new Uint8Array();
    return rest.length === 0 ? undefined : rest;
  }

  /** True once only exec was left. */
  get isOpen(): boolean {
    return this.#phase !== "launching";
  }

  /** Says why the system would not even start the launcher. */
  spawnFailure(error: unknown): StartFailure {
    const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
    const why = code === "ENOENT" ? `no ${SHELL} or no working directory` : `${code ?? "unknown error"}`;
    return startFailure(this.#name, "SPAWN_FAILED", `the launcher failed (${why})`);
  }

  /**
   * Why the program never ran; undefined when it did. To be asked when standard error was read to its end.
   *
   * @param signal by which the launcher was ended, where it was
   */
  failure(signal?: string): StartFailure | undefined {
    if (this.#phase === "running" || this.#phase === "opening") return undefined;
    const lines = decoder.decode(this.#held).split("\n").filter((line) => line !== "");
    // The shell's own words begin with its name and a line number.
    const words = lines.find((line) => !line.startsWith("@"))?.replace(/^.[0-9a-f-]{36}: (line )?[0-9]+: /, "");
    const step = lines.find((line) => line.startsWith("@"))?.slice(1) ??
      (words?.startsWith("unshare: ") ? "isolation" : undefined);
    // What is behind the last colon says why; what is before it may be a path of the host's.
    const why = words?.split(": ").at(-1)?.replace(/\.$/, "") ?? signal ?? "it did not say why";
    if (this.#phase === "failed") return execFailure(this.#name, why);
    if (step === undefined) {
      return startFailure(this.#name, "SPAWN_FAILED", `the launcher failed (${signal ?? words ?? why})`);
    }
    // dash does not say why one cannot enter, only the path.
    if (step === "cwd") return startFailure(this.#name, "CWD_NOT_FOUND", STEPS.cwd ?? step);
    return startFailure(this.#name, "SPAWN_FAILED", `${STEPS[step] ?? step} (${why})`);
  }
}

/** Why exec failed, in our words: shells have many for the same. */
function execFailure(name: string, why: string): StartFailure {
  // It was found a moment before, so what is missing is what its first line names, or it, where mounts are others now.
  if (/not found|no such file/i.test(why)) {
    return startFailure(name, "NOT_EXECUTABLE", "it or its interpreter was not found");
  }
  return startFailure(name, /denied/i.test(why) ? "NOT_EXECUTABLE" : "SPAWN_FAILED", why);
}

/** What went wrong, by the name of the step. */
const STEPS: Readonly<Record<string, string>> = {
  cgroup: "its cgroup could not be joined",
  umask: "its umask could not be set",
  cwd: "its working directory is not there for it, or not to be entered by it",
  isolation: "it could not be isolated",
  ...Object.fromEntries(
    RLIMIT_NAMES.map((name) => [name, `the limit on ${RLIMIT_KINDS[name].words} could not be set`]),
  ),
};

const FAIL = 'fail() { echo "@$1" >&2; exit 125; }\n';

/** All that is done as the server's user, by the first shell itself. */
function firstStage({ cgroupDir, umask, rlimits = {} }: LaunchPlan): { script: string; args: string[] } {
  const steps: string[] = [FAIL];
  const args: string[] = [];
  if (cgroupDir !== undefined) {
    // 0 stands for the one who writes: cgroups(7).
    // dash says "I/O error" for every errno, so where its echo fails printf(1) fails again and says which.
    const why = '/usr/bin/env printf 0 >"$1/cgroup.procs"';
    steps.push(`echo 0 2>/dev/null >"$1/cgroup.procs" || { ${why}; fail cgroup; }\nshift\n`);
    args.push(cgroupDir);
  }
  if (umask !== undefined) {
    steps.push('umask "$1" || fail umask\nshift\n');
    args.push(umask.toString(8).padStart(4, "0"));
  }
  for (const name of RLIMIT_NAMES) {
    const value = rlimits[name];
    if (value === undefined) continue;
    steps.push(`{ ${ULIMIT[name]}; } || fail ${name}\nshift\n`);
    args.push(`${Math.floor(value / RLIMIT_KINDS[name].unitBytes)}`);
  }
  return { script: steps.join(""), args };
}

/** The shells agree on all letters but that for processes: -p in dash and busybox, -u in bash. */
const ULIMIT: Readonly<Record<RlimitName, string>> = {
  coreBytes: 'ulimit -c "$1"',
  fileBytes: 'ulimit -f "$1"',
  // At the hard limit the kernel kills without a word, so that is a second later, where the server's own leaves room.
  cpuSeconds: 'ulimit -S -t "$1" && { ulimit -H -t "$(($1 + 1))" 2>/dev/null || ulimit -H -t "$1"; }',
  openFiles: 'ulimit -n "$1"',
  processes: 'ulimit -p "$1" 2>/dev/null || ulimit -u "$1"',
  addressSpaceBytes: 'ulimit -v "$1"',
};

/** Programs that do one thing and become the next. Those of setpriv: util-linux, setpriv(1). */
function wrappersOf({ nice, isolation, credentials, noNewPrivileges }: LaunchPlan, secret: string): string[] {
  const wrappers: string[] = [];
  if (nice !== undefined) wrappers.push("nice", "-n", `${nice}`);
  if (isolation !== undefined) wrappers.push(...isolationWrappers(isolation, [SHELL, "-c"], FAIL, secret));
  const privileges: string[] = isolation === undefined ? [] : isolationPrivileges(isolation);
  if (credentials !== undefined) {
    const { uid, gid, groups } = credentials;
    privileges.push(`--reuid=${uid}`, `--regid=${gid}`);
    privileges.push(groups.length === 0 ? "--clear-groups" : `--groups=${groups.join(",")}`);
  }
  if (noNewPrivileges) privileges.push("--no-new-privs");
  if (privileges.length > 0) wrappers.push("setpriv", ...privileges);
  return wrappers;
}

/** Who the process is to be it is now: the directory, the environment, and the program. */
function lastStage(prefix: string, entersAnew: boolean): string {
  const count = `${prefix}_count`;
  return [
    entersAnew ? 'cd -- "$1" || fail cwd\nshift\n' : "",
    `unset ${SHELL_VARIABLES}\n`,
    `${count}=$1\nshift\n`,
    `while [ "$${count}" -gt 0 ]; do ${count}=$(($${count} - 1)); `,
    `eval "export \\"\\$${prefix}_$${count}\\"; unset ${prefix}_$${count}"; done\nunset ${count}\n`,
    'printf "%s>" "$0" >&2\nexec "$@"\n',
  ].join("");
}

/** A beginning of names that no variable of the job has. */
function freePrefix(env: Readonly<Record<string, string>>): string {
  let prefix = "TELEPORT_ENV";
  while (Object.keys(env).some((name) => name.startsWith(prefix))) prefix += "_";
  return prefix;
}

/** The variables a shell can pass on, and those it cannot, as `NAME=VALUE`. */
function sorted(env: Readonly<Record<string, string>>, markVariable: string): { passed: string[]; odd: string[] } {
  const passed: string[] = [];
  const odd: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (name === markVariable) continue;
    const isPlain = PLAIN_NAME.test(name) && !SHELLS_OWN.has(name) && !name.startsWith("BASH");
    (isPlain ? passed : odd).push(`${name}=${value}`);
  }
  return { passed, odd };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, index) => bytes[index] === byte);
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  for (let at = 0; at + wanted.length <= bytes.length; at++) if (startsWith(bytes.subarray(at), wanted)) return at;
  return -1;
}
