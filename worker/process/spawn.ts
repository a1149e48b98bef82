/** Starts the program of a process: finds the user and the program, makes the environment, and spawns it. */
import { type CommandOptions, DEFAULT_CWD, DEFAULT_ENV, TERMINAL_ENV } from "../launch/command.ts";
import { launchedOptions } from "../../base/job_options/entries.ts";
import { quote } from "../../base/quote.ts";
import { cwdErrno, cwdFailure, execFailure, type StartFailure, startFailure } from "../launch/failure.ts";
import { findProgram } from "../launch/program.ts";
import type { Cgroup } from "../cgroup/cgroup.ts";
import { errnoMessage, errnoOf } from "../../base/errno.ts";
import { HostExhaustedError, NotEnforceableError } from "../errors.ts";
import { findTerminalGroup, findUser, type RunAs } from "../launch/passwd.ts";
import { gainsNoPrivileges, isolationHere, STRICT_AS_ROOT } from "../launch/host.ts";
import { inheritance, PLAIN_UMASK } from "../launch/inheritance.ts";
import { DirectLaunch } from "../launch/direct_launch.ts";
import { Launch } from "../launch/launcher.ts";
import { type LaunchPlan, needsLauncher, type ProgramLaunch } from "../launch/launch_plan.ts";
import type { SessionStarter } from "../launch/session_starter.ts";
import { PseudoTerminal } from "../terminal/pseudo_terminal.ts";
import { MARK_VARIABLE } from "./mark.ts";
import { withTag } from "./tags.ts";
import { defined } from "../../base/defined.ts";

/** Options of a start. */
export interface SpawnOptions extends CommandOptions {
  /** Variables that override the default environment. The variables of its user and of `env` override these. */
  readonly baseEnv?: Readonly<Record<string, string>>;
  /** The user and groups to run as, instead of the ones that `user` and `group` name. */
  readonly runAs?: RunAs;
  /** Creates the cgroup that it joins before its program runs. The cgroup is removed when no process is left. */
  readonly cgroup?: () => Cgroup;
  /** Makes its session. Absent: the system does, which takes longer. */
  readonly sessions?: Pick<SessionStarter, "link">;
}

/** A started program. */
export interface Spawned {
  readonly child: Deno.ChildProcess;
  /** The launch. Undefined if the system has started the program itself. */
  readonly launch: ProgramLaunch | undefined;
  readonly cgroup: Cgroup | undefined;
  /** The terminal that is its standard streams. Undefined: they are pipes. */
  readonly terminal: PseudoTerminal | undefined;
  /** The tag of the process, see tags.ts. */
  readonly tag: string | undefined;
}

/** The errors of a host that lacks resources for a moment. The command does not cause them. */
const EXHAUSTED = ["EMFILE", "ENFILE", "EAGAIN", "ENOMEM"];

/**
 * Starts a program as the leader of its own session.
 *
 * @param options.id the mark of its processes
 * @param onOpen called when the launcher, if the start needs one, is about to become the program
 * @returns the started program, or why it cannot be started
 * @throws {HostExhaustedError} when the host has no descriptors, processes or memory for it now
 */
export function spawn(
  command: string,
  args: readonly string[],
  options: SpawnOptions & { readonly id: string },
  onOpen: () => void,
): Spawned | StartFailure {
  try {
    return prepareAndSpawn(command, args, options, onOpen);
  } catch (error) {
    const errno = errnoOf(error);
    if (!isExhausted(errno)) throw error;
    throw new HostExhaustedError(`Cannot start command ${quote(command)}: ${errnoMessage(errno)}: try again later`);
  }
}

function isExhausted(errno: string | undefined): boolean {
  return errno !== undefined && EXHAUSTED.includes(errno);
}

function prepareAndSpawn(
  command: string,
  args: readonly string[],
  options: SpawnOptions & { readonly id: string },
  onOpen: () => void,
): Spawned | StartFailure {
  const { id, user, group, baseEnv, cwd = DEFAULT_CWD } = options;
  const runAs = options.runAs ?? (user === undefined && group === undefined ? undefined : findUser(options));
  if (runAs !== undefined && "error" in runAs) return runAs;
  const isRoot = (runAs?.credentials.uid ?? Deno.uid()) === 0;
  if (options.isolation === "STRICT" && isRoot) return { errorCode: "SPAWN_FAILED", error: STRICT_AS_ROOT };
  const env: Record<string, string> = {
    ...DEFAULT_ENV,
    ...(options.terminal === undefined ? {} : TERMINAL_ENV),
    ...baseEnv,
    ...runAs?.env,
    ...options.env,
    [MARK_VARIABLE]: id,
  };
  const path = findProgram(command, cwd, env.PATH ?? "", runAs?.credentials);
  if (typeof path !== "string") return path;
  const ownPlan = planOf(options, runAs);
  let cgroup: Cgroup | undefined;
  try {
    cgroup = options.cgroup?.();
  } catch (error) {
    if (isExhausted(errnoOf(error))) throw error;
    return cgroupFailure(command, error);
  }
  let terminal: PseudoTerminal | undefined;
  try {
    terminal = options.terminal && new PseudoTerminal(options.terminal);
    if (isOther(runAs)) terminal?.giveTo(runAs.credentials.uid, findTerminalGroup());
  } catch (error) {
    abandon(cgroup, terminal);
    if (error instanceof HostExhaustedError || isExhausted(errnoOf(error))) throw error;
    return startFailure(command, "SPAWN_FAILED", `its terminal could not be made (${errnoMessage(errnoOf(error))})`);
  }
  const plan = {
    ...ownPlan,
    ...defined({ cgroupDir: cgroup?.directory, terminal: terminal?.path }),
  };
  const program = { name: command, path, args, env, cwd };
  const hasLauncher = needsLauncher(plan);
  // The launcher gets the variables of the job under other names.
  using link = options.sessions?.link(hasLauncher ? {} : env);
  const launch = hasLauncher
    ? new Launch(plan, program, MARK_VARIABLE, onOpen, link)
    : link && new DirectLaunch(program, link);
  const start = (tag: string | undefined): Spawned => {
    const stream = terminal === undefined ? "piped" : "null";
    const child = new Deno.Command(launch?.path ?? path, {
      args: [...launch?.args ?? args],
      cwd,
      env: launch?.env ?? env,
      clearEnv: true,
      detached: link === undefined,
      stdin: options.input ? stream : "null",
      stdout: stream,
      stderr: stream,
    }).spawn();
    return { child, launch, cgroup, terminal, tag };
  };
  try {
    return withTag(start);
  } catch (error) {
    abandon(cgroup, terminal);
    const errno = errnoOf(error);
    if (isExhausted(errno)) throw error;
    // Deno reports every failure as one of the command, and ENOENT for a directory that cannot be entered.
    const closed = cwdErrno(cwd);
    if (closed !== undefined) return cwdFailure(cwd, closed);
    return launch === undefined ? execFailure({ name: command, path }, errno) : launch.spawnFailure(error);
  }
}

/** Frees what was made for a start that failed. */
function abandon(cgroup: Cgroup | undefined, terminal: PseudoTerminal | undefined): void {
  cgroup?.remove();
  void terminal?.close();
}

/** Returns why the cgroup could not be created. */
function cgroupFailure(command: string, error: unknown): StartFailure {
  if (error instanceof NotEnforceableError) return { errorCode: "SPAWN_FAILED", error: error.message };
  return startFailure(command, "SPAWN_FAILED", `its cgroup could not be made (${errnoMessage(errnoOf(error))})`);
}

/** Returns the steps that the launch needs. */
function planOf(options: SpawnOptions, runAs: RunAs | undefined): LaunchPlan {
  const { isolation, noNewPrivileges } = options;
  const inherited = inheritance();
  const umask = options.umask ?? (inherited.umask === PLAIN_UMASK ? undefined : PLAIN_UMASK);
  const nice = inherited.baseNice + (options.nice ?? 0) - inherited.nice;
  const closed = inherited.descriptors.filter((descriptor) => descriptor < 10);
  return {
    plainOomScore: inherited.oomScoreAdj !== 0,
    defaultSignals: inherited.holdsSignals,
    ...(closed.length === 0 ? {} : { closed }),
    plainPolicy: inherited.hasPolicy,
    plainIoPriority: inherited.hasIoPriority,
    noAmbientCapabilities: inherited.hasAmbientCapabilities,
    ...launchedOptions(options),
    ...defined({ umask }),
    ...(options.nice === undefined && nice === 0 ? {} : { nice }),
    ...(isolation === undefined ? {} : { isolation: isolationHere(isolation) }),
    ...(runAs === undefined ? {} : { credentials: runAs.credentials }),
    ...(isOther(runAs) && options.terminal === undefined ? { pipes: options.input ? [0, 1, 2] : [1, 2] } : {}),
    // If the server itself gains no privileges, its jobs do not either.
    ...(noNewPrivileges && !gainsNoPrivileges() ? { noNewPrivileges } : {}),
  };
}

/** Returns true if a process runs as another user than this one. */
function isOther(runAs: RunAs | undefined): runAs is RunAs {
  return runAs !== undefined && runAs.credentials.uid !== Deno.uid();
}
