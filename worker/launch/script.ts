/**
 * The script of the launcher. Its steps, in order:
 *
 * 1. Open the terminal, or give the pipes to the user.
 * 2. Join the cgroup.
 * 3. Undo what the server inherited.
 * 4. Set umask and limits, then the scheduling.
 * 5. Isolate, then change the user and the privileges.
 * 6. Enter the directory, export the environment, and exec.
 */
import { defined } from "../../base/defined.ts";
import { LAUNCH_STEPS } from "../../base/job_options/entries.ts";
import { isolationPrivileges, isolationWrappers, type ScriptStep } from "./isolation.ts";
import type { LaunchPlan, LaunchProgram } from "./launch_plan.ts";

/** The launcher's shell. */
export const SHELL = "/bin/sh";

/** The PATH of the launcher's own programs. */
export const LAUNCHER_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** Variables that the shell sets itself. A program gets them only from its job. If sh is bash, SHLVL comes back. */
const SHELL_VARIABLES = "LC_ALL PWD OLDPWD SHLVL";

/** The names that every shell imports and exports. It drops others, or gives them a meaning of its own. */
const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const SHELLS_OWN = new Set(
  ("_ SHLVL OPTIND OPTARG LINENO PPID UID EUID RANDOM SRANDOM SECONDS SHELLOPTS GROUPS DIRSTACK FUNCNAME HISTCMD " +
    "PIPESTATUS POSIXLY_CORRECT EPOCHSECONDS EPOCHREALTIME IFS").split(" "),
);

/** The command of a launch, for /bin/sh. */
export interface LaunchScript {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** A message about a failed exec begins with one of these names and a colon. */
  readonly names: readonly string[];
}

/**
 * Returns the command that launches a program.
 *
 * @param markVariable the variable that identifies the job's processes, the launcher included
 * @param secret the name of the shell, see stderr_filter.ts
 */
export function launchScript(
  plan: LaunchPlan,
  program: LaunchProgram,
  markVariable: string,
  secret: string,
): LaunchScript {
  const prefix = freePrefix(program.env);
  const { exported, unexportable } = splitEnvironment(program.env, markVariable);
  const env = {
    PATH: LAUNCHER_PATH,
    LC_ALL: "C",
    ...defined({ [markVariable]: program.env[markVariable] }),
    ...Object.fromEntries(exported.map((text, index) => [`${prefix}_${index}`, text])),
  };
  // The directory was entered by another user, or under other mounts.
  const reentersCwd = plan.credentials !== undefined || plan.isolation !== undefined;
  const last = lastStage(prefix, reentersCwd);
  const envPath = secretPath("/usr/bin", "env", secret);
  const lastArgs = [
    ...(reentersCwd ? [program.cwd] : []),
    `${exported.length}`,
    // Variables that no shell exports go through env(1), which accepts any name.
    ...(unexportable.length === 0 ? [] : [envPath, "--", ...unexportable]),
    // env(1) would take a path with "=" for a variable.
    ...(unexportable.length > 0 && program.path.includes("=") ? ["/usr/bin/nice", "-n", "0"] : []),
    program.path,
    ...program.args,
  ];
  const limits = tableSteps(plan, "last");
  const first = firstStep(plan);
  // The isolation needs files, memory and processes. The job's limits may be too low for it, so they come after it.
  const { script, args } = plan.isolation === undefined
    ? { script: first.script + limits.script, args: [...first.args, ...limits.args] }
    : first;
  const wrappers = wrappersOf(plan, limits, secret);
  return {
    env,
    names: unexportable.length === 0 ? [secret] : [secret, envPath],
    args: wrappers.length === 0
      ? ["-c", script + last, secret, ...args, ...lastArgs]
      : ["-c", `${script}exec "$@"`, secret, ...args, ...wrappers, SHELL, "-c", FAIL + last, secret, ...lastArgs],
  };
}

const FAIL = 'fail() { echo "@$1" >&2; exit 125; }\n';

/** Returns the step that the first shell does itself, as the server's user. */
function firstStep(plan: LaunchPlan): ScriptStep {
  const { cgroupDir, plainOomScore, closed = [], credentials, pipes = [], terminal } = plan;
  const steps: string[] = [FAIL];
  const args: string[] = [];
  // A session without a controlling terminal gets the first one that it opens. Later messages go there too.
  if (terminal !== undefined) {
    steps.push('exec 0<>"$1" 1>&0 2>&0\nshift\n');
    args.push(terminal);
  }
  // chown(1) is one more process. The cgroup's limit may be too low for it, so this comes first.
  if (credentials !== undefined && pipes.length > 0) {
    steps.push(`chown "$1" ${pipes.map((pipe) => `/proc/self/fd/${pipe}`).join(" ")} || fail pipes\nshift\n`);
    args.push(`${credentials.uid}:${credentials.gid}`);
  }
  if (cgroupDir !== undefined) {
    // 0 means the writing process: cgroups(7). The echo of dash reports every errno as "I/O error". So if echo fails,
    // printf(1) fails again and reports the errno.
    const why = '/usr/bin/env printf 0 >"$1/cgroup.procs"';
    steps.push(`echo 0 2>/dev/null >"$1/cgroup.procs" || { ${why}; fail cgroup; }\nshift\n`);
    args.push(cgroupDir);
  }
  // If the server may not lower it, the server did not raise it, and the job keeps it.
  if (plainOomScore) steps.push("{ echo 0 >/proc/self/oom_score_adj; } 2>/dev/null\n");
  if (closed.length > 0) steps.push(`exec ${closed.map((descriptor) => `${descriptor}>&-`).join(" ")}\n`);
  const table = tableSteps(plan, "first");
  return { script: steps.join("") + table.script, args: [...args, ...table.args] };
}

/** Returns the steps of the table of job options, see `base/job_options/`. */
function tableSteps(plan: LaunchPlan, stage: "first" | "last"): ScriptStep {
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

/** Returns the programs that each do one thing and become the next. For setpriv(1), see util-linux. */
function wrappersOf(plan: LaunchPlan, limits: ScriptStep, secret: string): string[] {
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
 * Returns a path to a program that encodes a secret in "/./" and "//", which both mean "/". A program begins its error
 * messages with the path by which it was started.
 */
function secretPath(directory: string, name: string, secret: string): string {
  const bits = [...secret].flatMap((char) => char.charCodeAt(0).toString(2).padStart(8, "0").split(""));
  return `${directory}/${bits.map((bit) => bit === "1" ? "./" : "/").join("")}${name}`;
}

/** Returns the script that runs as the job's user: it enters the directory, exports the environment, and execs. */
function lastStage(prefix: string, reentersCwd: boolean): string {
  const count = `${prefix}_count`;
  return [
    // dash gives no reason when it cannot enter a directory. ls(1) does.
    reentersCwd ? 'cd -- "$1" 2>/dev/null || { ls -d -- "$1/." >/dev/null; fail cwd; }\nshift\n' : "",
    `unset ${SHELL_VARIABLES}\n`,
    `${count}=$1\nshift\n`,
    `while [ "$${count}" -gt 0 ]; do ${count}=$(($${count} - 1)); `,
    `eval "export \\"\\$${prefix}_$${count}\\"; unset ${prefix}_$${count}"; done\nunset ${count}\n`,
    'printf "%s>" "$0" >&2\nexec "$@"\n',
  ].join("");
}

/** Returns a prefix with which no variable of the job begins. */
function freePrefix(env: Readonly<Record<string, string>>): string {
  let prefix = "TELEPORT_ENV";
  while (Object.keys(env).some((name) => name.startsWith(prefix))) prefix += "_";
  return prefix;
}

/** Returns the variables that every shell exports, and the others, as `NAME=VALUE`. */
function splitEnvironment(
  env: Readonly<Record<string, string>>,
  markVariable: string,
): { exported: string[]; unexportable: string[] } {
  const exported: string[] = [];
  const unexportable: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (name === markVariable) continue;
    const isPlain = PLAIN_NAME.test(name) && !SHELLS_OWN.has(name) && !name.startsWith("BASH");
    (isPlain ? exported : unexportable).push(`${name}=${value}`);
  }
  return { exported, unexportable };
}
