/**
 * The launcher: a shell that prepares a process and then becomes its program, so the pid stays and no extra process does.
 *
 * The script contains no value of a user: they are all arguments and variables. The program's variables get their own
 * names only in the last step. Otherwise the launcher, which may run as root, would load the user's LD_PRELOAD.
 */
import { LAUNCH_STEPS } from "../../base/job_options/entries.ts";
import { errnoOf, errnoOfMessage } from "../../base/errno.ts";
import { cwdFailure, execFailure, type ExecTarget, type StartFailure, startFailure } from "./failure.ts";
import type { LaunchPlan, LaunchProgram, ProgramLaunch } from "./launch_plan.ts";
import { launchScript, SHELL } from "./script.ts";
import { noSetsid } from "./direct_launch.ts";
import { newSecret } from "./secret.ts";
import type { SessionLink } from "./session_starter.ts";
import { StderrFilter } from "./stderr_filter.ts";

/** One start through the launcher. */
export class Launch implements ProgramLaunch {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stderr: StderrFilter;
  readonly #target: ExecTarget;
  readonly #cwd: string;
  readonly #hasTerminal: boolean;
  /** The beginning of a message of setsid(1). Undefined if the system makes the session. */
  readonly #setsidPrefix: string | undefined;

  /**
   * @param markVariable the variable that identifies the job's processes, the launcher included
   * @param onOpen called when only exec is left to do
   * @param link the link to setsid(1), which makes the session. Undefined: the caller makes it
   */
  constructor(
    plan: LaunchPlan,
    program: LaunchProgram,
    markVariable: string,
    onOpen: () => void,
    link?: SessionLink,
  ) {
    const secret = link?.secret ?? newSecret();
    const { name, path, cwd } = program;
    this.#target = { name, path, credentials: plan.credentials, isIsolated: plan.isolation !== undefined };
    this.#cwd = cwd;
    this.#hasTerminal = plan.terminal !== undefined;
    const { args, env, names } = launchScript(plan, program, markVariable, secret);
    this.stderr = new StderrFilter(names, { secret, onOpen });
    this.path = link?.path ?? SHELL;
    this.args = link === undefined ? args : [SHELL, ...args];
    this.env = env;
    this.#setsidPrefix = link && `${secret}: failed to execute `;
  }

  spawnFailure(error: unknown): StartFailure {
    const errno = errnoOf(error);
    const isSetsidMissing = errno === "ENOENT" && this.#setsidPrefix !== undefined;
    return isSetsidMissing ? noSetsid(this.#target.name) : this.#shellFailure(errno);
  }

  #shellFailure(errno: string | undefined): StartFailure {
    if (errno !== "ENOENT") return execFailure(this.#target, errno);
    return startFailure(this.#target.name, "SPAWN_FAILED", `the server's system has no ${SHELL}`);
  }

  failure(signal?: string): StartFailure | undefined {
    const { stage, message } = this.stderr;
    if (stage === "running" || stage === "opening") return undefined;
    // A terminal ends a line with two characters.
    const lines = message.split(/\r?\n/).filter((line) => line !== "");
    // A message of the shell begins with its name and a line number.
    const words = lines.find((line) => !line.startsWith("@"))?.replace(/^.[0-9a-f-]{36}: (line )?[0-9]+: /, "");
    const step = lines.find((line) => line.startsWith("@"))?.slice(1) ??
      (words?.startsWith("unshare: ") ? "isolation" : undefined) ??
      // Before the terminal is open, messages cannot be written.
      (this.#hasTerminal && stage === "launching" && words === undefined ? "terminal" : undefined);
    // The reason follows the last colon. The words before it may contain a path of the host.
    const why = words?.split(": ").at(-1)?.replace(/\.$/, "") ?? signal ?? "it gave no reason";
    const { name } = this.#target;
    const errno = errnoOfMessage(why);
    if (this.#setsidPrefix !== undefined && words?.startsWith(this.#setsidPrefix)) return this.#shellFailure(errno);
    // The kernel refuses this to every program of the user, also to the launcher's own.
    if (step === undefined && errno === "EAGAIN") return execFailure(this.#target, errno);
    if (stage === "failed") {
      return errno === undefined ? startFailure(name, "NOT_EXECUTABLE", why) : execFailure(this.#target, errno);
    }
    if (step === undefined) {
      return startFailure(name, "SPAWN_FAILED", `the launcher failed (${signal ?? words ?? why})`);
    }
    if (step === "cwd") return cwdFailure(this.#cwd, errno ?? why, this.#target);
    return startFailure(name, "SPAWN_FAILED", `${FAILURES[step] ?? step} (${why})`);
  }
}

/** The failure of each step of the script, in words. */
const FAILURES: Readonly<Record<string, string>> = {
  cgroup: "its cgroup could not be joined",
  terminal: "its terminal could not be opened",
  pipes: "its standard streams could not be given to its user",
  isolation: "it could not be isolated",
  ...Object.fromEntries(LAUNCH_STEPS.map(({ name, failure }) => [name, failure])),
};
