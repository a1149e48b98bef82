/**
 * The script of the launcher, and what goes with it: all that happens to a process before its program runs.
 *
 * The order is: the owner of the pipes, cgroup, what the server's starter handed down, umask, limits, scheduling,
 * isolation, user and privileges, directory, environment, exec.
 */
import type { Credentials } from "./failure.ts";
import { LAUNCH_STEPS, type LaunchedOptions } from "../../base/job_options/entries.ts";
import { type IsolationPlan, isolationPrivileges, isolationWrappers, type Step } from "./isolation.ts";
import { defined } from "../../base/defined.ts";

/** The shell that the launcher is. */
export const SHELL = "/bin/sh";

/** Where the launcher's own programs are. */
export const LAUNCHER_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** What must happen before the program runs. */
export interface LaunchPlan extends LaunchedOptions {
  /** The directory of the cgroup that is joined. */
  readonly cgroupDir?: string;
  /** Its oom_score_adj becomes 0, as far as that is allowed: proc_pid_oom_score_adj(5). */
  readonly plainOomScore?: boolean;
  /** Signals that the server ignores or blocks do again what they do by default. */
  readonly defaultSignals?: boolean;
  /** Descriptors from 3 to 9 that are closed. */
  readonly closed?: readonly number[];
  /** It is scheduled as all others are: sched(7). */
  readonly plainPolicy?: boolean;
  readonly plainIoPriority?: boolean;
  /** No ambient and no inheritable capability: capabilities(7). */
  readonly noAmbientCapabilities?: boolean;
  /** Added to the server's own niceness. */
  readonly nice?: number;
  readonly isolation?: IsolationPlan;
  readonly credentials?: Credentials;
  /** Descriptors that are pipes and become the user's, who could not open them by name otherwise. */
  readonly pipes?: readonly number[];
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

/** The shell's own doing; a program gets them only if its job gave them. SHLVL comes back where sh is bash. */
const SHELL_VARIABLES = "LC_ALL PWD OLDPWD SHLVL";

/** Names that every shell takes in and gives on; of others it has its own idea, or drops them. */
const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const SHELLS_OWN = new Set(
  ("_ SHLVL OPTIND OPTARG LINENO PPID UID EUID RANDOM SRANDOM SECONDS SHELLOPTS GROUPS DIRSTACK FUNCNAME HISTCMD " +
    "PIPESTATUS POSIXLY_CORRECT EPOCHSECONDS EPOCHREALTIME IFS").split(" "),
);

/** What a launch spawns. */
export interface LaunchScript {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Who speaks where the program cannot be executed: what is said begins with one of these names and a colon. */
  readonly names: readonly string[];
}

/**
 * Writes the launch of a program.
 *
 * @param markVariable the variable that the launcher itself must carry too
 * @param secret the name of the shell
 */
export function launchScript(
  plan: LaunchPlan,
  program: Launched,
  markVariable: string,
  secret: string,
): LaunchScript {
  const prefix = freePrefix(program.env);
  const { passed, odd } = sorted(program.env, markVariable);
  const env = {
    PATH: LAUNCHER_PATH,
    LC_ALL: "C",
    ...defined({ [markVariable]: program.env[markVariable] }),
    ...Object.fromEntries(passed.map((text, index) => [`${prefix}_${index}`, text])),
  };
  // Neither the user nor the mounts are those by which the directory was entered.
  const entersAnew = plan.credentials !== undefined || plan.isolation !== undefined;
  const last = lastStage(prefix, entersAnew);
  const envPath = secretPath("/usr/bin", "env", secret);
  const lastArgs = [
    ...(entersAnew ? [program.cwd] : []),
    `${passed.length}`,
    // What no shell passes on goes through env(1), which takes variables of any name.
    ...(odd.length === 0 ? [] : [envPath, "--", ...odd]),
    // And a path with "=" would be one more of them.
    ...(odd.length > 0 && program.path.includes("=") ? ["/usr/bin/nice", "-n", "0"] : []),
    program.path,
    ...program.args,
  ];
  const limits = tableSteps(plan, "last");
  const first = firstStep(plan);
  // What isolates needs files, memory and processes, of which the job may be given too few.
  const { script, args } = plan.isolation === undefined
    ? { script: first.script + limits.script, args: [...first.args, ...limits.args] }
    : first;
  const wrappers = wrappersOf(plan, limits, secret);
  return {
    env,
    names: odd.length === 0 ? [secret] : [secret, envPath],
    args: wrappers.length === 0
      ? ["-c", script + last, secret, ...args, ...lastArgs]
      : ["-c", `${script}exec "$@"`, secret, ...args, ...wrappers, SHELL, "-c", FAIL + last, secret, ...lastArgs],
  };
}

const FAIL = 'fail() { echo "@$1" >&2; exit 125; }\n';

/** All that is done as the server's user, by the first shell itself. */
function firstStep(plan: LaunchPlan): Step {
  const { cgroupDir, plainOomScore, closed = [], credentials, pipes = [] } = plan;
  const steps: string[] = [FAIL];
  const args: string[] = [];
  // chown(1) is one more process, of which the cgroup may allow too few.
  if (credentials !== undefined && pipes.length > 0) {
    steps.push(`chown "$1" ${pipes.map((pipe) => `/proc/self/fd/${pipe}`).join(" ")} || fail pipes\nshift\n`);
    args.push(`${credentials.uid}:${credentials.gid}`);
  }
  if (cgroupDir !== undefined) {
    // 0 stands for the one who writes: cgroups(7).
    // dash says "I/O error" for every errno, so where its echo fails printf(1) fails again and says which.
    const why = '/usr/bin/env printf 0 >"$1/cgroup.procs"';
    steps.push(`echo 0 2>/dev/null >"$1/cgroup.procs" || { ${why}; fail cgroup; }\nshift\n`);
    args.push(cgroupDir);
  }
  // Who may not lower it keeps it: then it was not the server's own idea.
  if (plainOomScore) steps.push("{ echo 0 >/proc/self/oom_score_adj; } 2>/dev/null\n");
  if (closed.length > 0) steps.push(`exec ${closed.map((descriptor) => `${descriptor}>&-`).join(" ")}\n`);
  const table = tableSteps(plan, "first");
  return { script: steps.join("") + table.script, args: [...args, ...table.args] };
}

/** The steps of the table of job options in `base/job_options/`. */
function tableSteps(plan: LaunchPlan, stage: "first" | "last"): Step {
  const steps: string[] = [];
  const args: string[] = [];
  for (const step of LAUNCH_STEPS) {
    const value = step.stage === stage ? step.valueIn(plan) : undefined;
    if (value === undefined) continue;
    steps.push(`{ ${step.script}; } || fail ${step.name}\nshift\n`);
    args.push(step.argument(value));
  }
  return { script: steps.join(""), args };
}

/** Programs that do one thing and become the next. Those of setpriv: util-linux, setpriv(1). */
function wrappersOf(plan: LaunchPlan, limits: Step, secret: string): string[] {
  const { nice, isolation, credentials, noNewPrivileges } = plan;
  const wrappers: string[] = [];
  if (plan.defaultSignals) wrappers.push("env", "--default-signal");
  if (plan.plainPolicy) wrappers.push("chrt", "--other", "0");
  if (plan.plainIoPriority) wrappers.push("ionice", "-c", "0");
  if (nice !== undefined) wrappers.push("nice", "-n", `${nice}`);
  if (isolation !== undefined) wrappers.push(...isolationWrappers(isolation, [SHELL, "-c"], FAIL, secret, limits));
  const privileges: string[] = isolation === undefined ? [] : isolationPrivileges(isolation);
  if (plan.noAmbientCapabilities && privileges.length === 0) {
    privileges.push("--ambient-caps=-all", "--inh-caps=-all");
  }
  if (credentials !== undefined) {
    const { uid, gid, groups } = credentials;
    privileges.push(`--reuid=${uid}`, `--regid=${gid}`);
    privileges.push(groups.length === 0 ? "--clear-groups" : `--groups=${groups.join(",")}`);
  }
  if (noNewPrivileges && !privileges.includes("--no-new-privs")) privileges.push("--no-new-privs");
  if (privileges.length > 0) wrappers.push("setpriv", ...privileges);
  return wrappers;
}

/**
 * A path to a program in which a secret is hidden: a program begins what it says of a failure with the path by which it
 * was started, and "/./" is the same as "/".
 */
function secretPath(directory: string, name: string, secret: string): string {
  const bits = [...secret].flatMap((char) => char.charCodeAt(0).toString(2).padStart(8, "0").split(""));
  return `${directory}/${bits.map((bit) => bit === "1" ? "./" : "/").join("")}${name}`;
}

/** Who the process is to be it is now: the directory, the environment, and the program. */
function lastStage(prefix: string, entersAnew: boolean): string {
  const count = `${prefix}_count`;
  return [
    // dash does not say why it cannot enter a directory; ls(1) does.
    entersAnew ? 'cd -- "$1" 2>/dev/null || { ls -d -- "$1/." >/dev/null; fail cwd; }\nshift\n' : "",
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
