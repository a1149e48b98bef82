/** A start without the launcher, by setsid(1): the program and its failure. */
import { errnoOf, errnoOfMessage } from "../../base/errno.ts";
import { execFailure, type ExecTarget, type StartFailure, startFailure } from "./failure.ts";
import type { LaunchProgram, ProgramLaunch } from "./launch_plan.ts";
import type { SessionLink } from "./session_starter.ts";
import { StderrFilter } from "./stderr_filter.ts";

/** The failure of a start without setsid(1), which existed when this process began. */
export function noSetsid(command: string): StartFailure {
  return startFailure(command, "SPAWN_FAILED", "the server's system has no setsid(1)");
}

/** One start by setsid(1). */
export class DirectLaunch implements ProgramLaunch {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stderr: StderrFilter;
  readonly #target: ExecTarget;
  /** The beginning of a message of setsid(1). The loader of the system begins one with the whole path. */
  readonly #prefix: string;

  constructor({ name, path, args, env }: LaunchProgram, link: SessionLink) {
    this.path = link.path;
    this.args = [path, ...args];
    this.env = env;
    this.stderr = new StderrFilter([link.secret, link.path]);
    this.#target = { name, path };
    this.#prefix = `${link.secret}: failed to execute `;
  }

  spawnFailure(error: unknown): StartFailure {
    const errno = errnoOf(error);
    return errno === "ENOENT" ? noSetsid(this.#target.name) : execFailure(this.#target, errno);
  }

  failure(): StartFailure | undefined {
    const { stage, message } = this.stderr;
    if (stage !== "failed") return undefined;
    const why = message.trimEnd().split(": ").at(-1) ?? "";
    const errno = message.startsWith(this.#prefix) ? errnoOfMessage(why) : undefined;
    if (errno === undefined) return startFailure(this.#target.name, "SPAWN_FAILED", `setsid(1) failed (${why})`);
    return execFailure(this.#target, errno);
  }
}
