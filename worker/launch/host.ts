/** Checks whether this host can enforce the options of a job. An option that it cannot enforce is refused, not ignored. */
import { getPriority } from "node:os";
import { CAP, hasCapability } from "../../base/capabilities.ts";
import type { CommandOptions } from "./command.ts";
import type { Isolation } from "../../base/job_options/table.ts";
import { findProgram } from "./program.ts";
import { type IsolationPlan, isolationPlan } from "./isolation.ts";
import type { ServerProcess } from "../../base/job_options/descriptor.ts";
import { optionsRefusal } from "../../base/job_options/refusal.ts";
import { RLIMIT_NAMES, type RlimitName, RLIMITS } from "../../base/job_options/rlimits.ts";
import { findUser } from "./passwd.ts";
import { NotEnforceableError } from "../errors.ts";
import { LAUNCHER_PATH } from "./script.ts";
import { terminalRefusal } from "../terminal/pseudo_terminal.ts";

/** The properties of the host and of the server's process that decide what can be enforced. */
export interface Host extends ServerProcess {
  /** True if the server, and so every job, cannot gain privileges: prctl(2), PR_SET_NO_NEW_PRIVS. */
  readonly noNewPrivileges: boolean;
  /** The server's own hard limits. A limit that is absent is unlimited. */
  readonly hardLimits: ReadonlyMap<RlimitName, number>;
  /** The lowest niceness that needs no privilege: RLIMIT_NICE, getrlimit(2). */
  readonly minNice: number;
  /** The server's niceness. */
  readonly nice: number;
  /** The most descriptors that any process may have: /proc/sys/fs/nr_open, proc(5). */
  readonly maxOpenFiles: number;
  /** Returns true if the launcher finds a program. */
  has(program: string): boolean;
}

/** Reads the properties of the host now. If /proc cannot be read, the server counts as unprivileged. */
export function readHost(): Host {
  const status = readProcFile("/proc/thread-self/status");
  const limits = readProcFile("/proc/thread-self/limits");
  const hardLimits = new Map<RlimitName, number>();
  for (const name of RLIMIT_NAMES) {
    const hard = hardLimit(limits, RLIMITS[name].procName);
    if (Number.isFinite(hard)) hardLimits.set(name, hard);
  }
  return {
    uid: Deno.uid() ?? -1,
    capabilities: BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`),
    noNewPrivileges: /^NoNewPrivs:\s*1$/m.test(status),
    hardLimits,
    oomScoreAdj: Number(readProcFile("/proc/self/oom_score_adj")) || 0,
    // The limit counts from 1 (niceness 19) to 40 (niceness -20).
    minNice: 20 - Math.max(1, hardLimit(limits, "Max nice priority")),
    nice: getPriority(),
    maxOpenFiles: Number(readProcFile("/proc/sys/fs/nr_open").trim()) || Infinity,
    has: (program) => typeof findProgram(program, "/", LAUNCHER_PATH) === "string",
  };
}

/** Returns the default niceness of a job: 0, or the server's own if that is higher and cannot be lowered. */
export function baseNice({ capabilities, minNice, nice }: Host): number {
  const mayLower = hasCapability(capabilities, CAP.SYS_NICE) || minNice <= 0;
  return mayLower ? 0 : Math.max(0, nice);
}

/** The refusal of a strict job of root, which needs no capability to signal root's processes and to open its files. */
export const STRICT_AS_ROOT =
  'Cannot isolate a job as "STRICT" here: it would run as root, who owns processes, files and sockets of the host (name ' +
  "another user)";

/** The refusal without CAP_SYS_ADMIN: a new user namespace has no other user; user_namespaces(7). */
export const ISOLATE_OTHERS =
  "Cannot isolate a job of another user here: the server runs as root without the capability CAP_SYS_ADMIN";

/** Returns true if jobs of other users can be isolated. */
export function mayIsolateOthers(): boolean {
  return hasCapability(readHost().capabilities, CAP.SYS_ADMIN);
}

let cannotGain = false;

/** Returns true if the server and its jobs cannot gain privileges. Once true, this stays true. */
export function gainsNoPrivileges(): boolean {
  return cannotGain ||= /^NoNewPrivs:\s*1$/m.test(readProcFile("/proc/thread-self/status"));
}

/** The directories of the services' sockets: file-hierarchy(7). The second is usually a link to the first. */
const SOCKETS = ["/run", "/var/run"];

function isDirectory(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** Returns how to isolate a job on this host now. */
export function isolationHere(level: Isolation): IsolationPlan {
  const { capabilities } = readHost();
  const isAdministrator = hasCapability(capabilities, CAP.SYS_ADMIN);
  return isolationPlan(
    level,
    readProcFile("/proc/thread-self/mountinfo"),
    isAdministrator,
    SOCKETS.filter(isDirectory),
  );
}

/**
 * Checks whether the options of a command can be enforced on this host.
 *
 * @throws {NotEnforceableError} when an option cannot be enforced; the message gives the reason and what to do
 */
export function checkEnforceable(options: CommandOptions, readHostNow: () => Host = readHost): void {
  const refusal = optionsRefusal(options, readHostNow);
  if (refusal !== undefined) throw new NotEnforceableError(refusal);
  const noTerminal = options.terminal === undefined ? undefined : terminalRefusal();
  if (noTerminal !== undefined) throw new NotEnforceableError(`Cannot give a job a terminal here: ${noTerminal}`);
  const { user, group, nice, isolation, rlimits = {} } = options;
  const noNewPrivileges = options.noNewPrivileges === true && !gainsNoPrivileges();
  const wantsLimits = RLIMIT_NAMES.some((name) => rlimits[name] !== undefined);
  const wantsUser = user !== undefined || group !== undefined;
  if (!wantsUser && nice === undefined && !wantsLimits && !noNewPrivileges && isolation === undefined) return;
  const host = readHostNow();
  const can = (capability: bigint) => hasCapability(host.capabilities, capability);
  if (wantsUser) {
    const what = `Cannot run a job as another ${user === undefined ? "group" : "user"} here`;
    if (host.uid !== 0) throw new NotEnforceableError(`${what}: the server does not run as root`);
    if (!can(CAP.SETUID) || !can(CAP.SETGID)) {
      throw new NotEnforceableError(`${what}: the server runs as root without the capabilities to change its user`);
    }
    mustHave(host, "setpriv", what);
  }
  if (noNewPrivileges && !host.noNewPrivileges) mustHave(host, "setpriv", "Cannot keep a job from new privileges here");
  if (nice !== undefined) {
    const wanted = Math.max(-20, baseNice(host) + nice);
    if (nice < 0 && !can(CAP.SYS_NICE) && wanted < host.minNice) {
      throw new NotEnforceableError(`Cannot run a job at niceness ${nice} here: the server has no privilege for it`);
    }
    mustHave(host, "nice", `Cannot run a job at niceness ${nice} here`);
  }
  if (isolation === "STRICT" && runsAsRoot(options, host)) throw new NotEnforceableError(STRICT_AS_ROOT);
  if (isolation !== undefined && wantsUser && !can(CAP.SYS_ADMIN)) throw new NotEnforceableError(ISOLATE_OTHERS);
  if (isolation !== undefined) {
    for (const program of ["unshare", "mount", "setpriv"]) mustHave(host, program, "Cannot isolate a job here");
  }
  for (const name of RLIMIT_NAMES) {
    const value = rlimits[name];
    if (value !== undefined) checkRlimit(host, name, value, can(CAP.SYS_RESOURCE));
  }
  if (rlimits.processes !== undefined && runsAsRoot(options, host)) {
    throw new NotEnforceableError(
      "Cannot limit the processes of a job that runs as root, which Linux exempts: name a user, or limit the processes " +
        "of its cgroup",
    );
  }
}

function checkRlimit(host: Host, name: RlimitName, value: number, mayRaise: boolean): void {
  const own = mayRaise ? Infinity : host.hardLimits.get(name) ?? Infinity;
  const most = name === "openFiles" ? Math.min(own, host.maxOpenFiles) : own;
  if (value <= most) return;
  throw new NotEnforceableError(
    `Cannot set the ${RLIMITS[name].noun} to ${value} here: the server's own limit is ${most}, give no more`,
  );
}

function mustHave(host: Host, program: string, what: string): void {
  if (!host.has(program)) throw new NotEnforceableError(`${what}: the server's system has no program "${program}"`);
}

function runsAsRoot({ user }: CommandOptions, host: Host): boolean {
  if (user === undefined) return host.uid === 0;
  const found = findUser({ user });
  return "credentials" in found && found.credentials.uid === 0;
}

/** Reads the hard limit in a line of proc_pid_limits(5), such as `Max open files  1024  4096  files`. */
function hardLimit(limits: string, procName: string): number {
  const line = limits.split("\n").find((line) => line.startsWith(procName)) ?? "";
  const [, hard = "unlimited"] = line.slice(procName.length).trim().split(/\s+/);
  return hard === "unlimited" ? Infinity : Number(hard);
}

/**
 * Reads a file of /proc. Returns an empty text if it does not exist or may not be read. Any other failure is thrown: an
 * empty text would make a job less isolated.
 */
export function readProcFile(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    const { NotFound, NotCapable, PermissionDenied } = Deno.errors;
    if (error instanceof NotFound || error instanceof NotCapable || error instanceof PermissionDenied) return "";
    throw error;
  }
}
