/** Starts the program of a process: as whom, with which environment, directly or through the launcher. */
import { type CommandOptions, DEFAULT_CWD, DEFAULT_ENV } from "../launch/command.ts";
import { launchedOptions } from "../../base/job_options/entries.ts";
import { quote } from "../../base/quote.ts";
import { cwdErrno, cwdFailure, execFailure, type StartFailure, startFailure } from "../launch/failure.ts";
import { findProgram } from "../launch/program.ts";
import type { Cgroup } from "../cgroup/cgroup.ts";
import { errnoOf, errnoWords } from "../errno.ts";
import { HostExhaustedError, NotEnforceableError } from "../errors.ts";
import { findUser, type RunAs } from "../launch/passwd.ts";
import { gainsNoPrivileges, isolationHere, STRICT_AS_ROOT } from "../launch/host.ts";
import { inheritance, PLAIN_UMASK } from "../launch/inheritance.ts";
import { Launch } from "../launch/launcher.ts";
import { type LaunchPlan, needsLauncher } from "../launch/launch_plan.ts";
import { MARK_VARIABLE } from "./members.ts";
import { withTag } from "./tags.ts";
import { defined } from "../../base/defined.ts";

/** Options of a start. */
export interface SpawnOptions extends CommandOptions {
  /** Variables that count less than those of the user it runs as, and more than the clean default environment. */
  readonly baseEnv?: Readonly<Record<string, string>>;
  /** As whom it runs, in place of a user and group that are looked up. */
  readonly runAs?: RunAs;
  /** Makes the cgroup that it joins before its program runs, and that goes when nothing of it is left. */
  readonly cgroup?: () => Cgroup;
}

/** A started program. */
export interface Spawned {
  readonly child: Deno.ChildProcess;
  /** Where it was started through the launcher: what its standard error must pass. */
  readonly launch: Launch | undefined;
  readonly cgroup: Cgroup | undefined;
  /** The tag that it carries, where it was given one. */
  readonly tag: string | undefined;
}

/** What the host has too little of for a moment; none of it is the command's fault. */
const EXHAUSTED = ["EMFILE", "ENFILE", "EAGAIN", "ENOMEM"];

/**
 * Starts a program as the leader of a session of its own.
 *
 * @param id by which it and what it starts are known, in their environment
 * @param onOpen called when the launcher, if there is one, is about to become the program
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
    throw new HostExhaustedError(`Cannot start command ${quote(command)}: ${errnoWords(errno)}: try again later`);
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
  const plan = cgroup === undefined ? ownPlan : { ...ownPlan, cgroupDir: cgroup.directory };
  const launch = needsLauncher(plan)
    ? new Launch(plan, { name: command, path, args, env, cwd }, MARK_VARIABLE, onOpen)
    : undefined;
  const start = (tag: string | undefined): Spawned => {
    const child = new Deno.Command(launch?.path ?? path, {
      args: [...launch?.args ?? args],
      cwd,
      env: launch?.env ?? env,
      clearEnv: true,
      detached: true,
      stdin: options.input ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return { child, launch, cgroup, tag };
  };
  try {
    return withTag(start);
  } catch (error) {
    cgroup?.remove();
    const errno = errnoOf(error);
    if (isExhausted(errno)) throw error;
    // Deno blames the command for all of it, and gives ENOENT for every directory that cannot be entered.
    const closed = cwdErrno(cwd);
    if (closed !== undefined) return cwdFailure(cwd, closed);
    return launch === undefined ? execFailure({ name: command, path }, errno) : launch.spawnFailure(error);
  }
}

/** Says in the caller's words why there is no cgroup for it. */
function cgroupFailure(command: string, error: unknown): StartFailure {
  if (error instanceof NotEnforceableError) return { errorCode: "SPAWN_FAILED", error: error.message };
  return startFailure(command, "SPAWN_FAILED", `its cgroup could not be made (${errnoWords(errnoOf(error))})`);
}

function planOf(options: SpawnOptions, runAs: RunAs | undefined): LaunchPlan {
  const { isolation, noNewPrivileges } = options;
  const handed = inheritance();
  const umask = options.umask ?? (handed.umask === PLAIN_UMASK ? undefined : PLAIN_UMASK);
  const nice = handed.baseNice + (options.nice ?? 0) - handed.nice;
  const closed = handed.descriptors.filter((descriptor) => descriptor < 10);
  const isOther = runAs !== undefined && runAs.credentials.uid !== Deno.uid();
  return {
    plainOomScore: handed.oomScoreAdj !== 0,
    defaultSignals: handed.holdsSignals,
    ...(closed.length === 0 ? {} : { closed }),
    plainPolicy: handed.hasPolicy,
    plainIoPriority: handed.hasIoPriority,
    noAmbientCapabilities: handed.hasAmbientCapabilities,
    ...launchedOptions(options),
    ...defined({ umask }),
    ...(options.nice === undefined && nice === 0 ? {} : { nice }),
    ...(isolation === undefined ? {} : { isolation: isolationHere(isolation) }),
    ...(runAs === undefined ? {} : { credentials: runAs.credentials }),
    ...(isOther ? { pipes: options.input ? [0, 1, 2] : [1, 2] } : {}),
    // It is inherited: a server that has it need do nothing.
    ...(noNewPrivileges && !gainsNoPrivileges() ? { noNewPrivileges } : {}),
  };
}
