/**
 * What must happen to a process before its program runs, in one place: a shell does it and becomes the program, so the
 * pid is kept and no process stays. Nothing of a user's is in the script; all of it travels as arguments and variables.
 *
 * How a failure is told apart from the job's own exit: the shell's name (`$0`) is a secret of this launch. Its standard
 * error is the job's, and all that comes on it before the secret and ">" is the launcher's word on what went wrong, and
 * never the job's output. Right behind that comes exec. If that fails, the shell says so, and a shell begins what it
 * says with its name: the secret again, and ":". The program never learns the secret, so it cannot say either. Where
 * env(1) stands between the two, it does the same with a path in which the secret is hidden.
 *
 * Before there is the program, there are none of its variables: a LD_PRELOAD would be loaded into the launcher, and run
 * as root where the job's user is another. They travel under other names, and the shell exports them as its last act.
 */
import { cwdFailure, execFailure, type StartFailure, startFailure, type Target } from "./failure.ts";
import { LAUNCH_STEPS } from "../../base/job_options/entries.ts";
import { errnoOf, errnoOfWords } from "../errno.ts";
import { type Launched, type LaunchPlan, launchScript, SHELL } from "./script.ts";

/** What the launcher says of a failure is a line; of a tool that says more, this is enough. */
const MAX_WORD_BYTES = 4_096;

/** One start through the launcher: what to spawn, and what to make of its standard error and end. */
export class Launch {
  readonly path = SHELL;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly #target: Target;
  readonly #cwd: string;
  readonly #opening: Uint8Array;
  readonly #refrains: readonly Uint8Array[];
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
    const { name, path, cwd } = program;
    this.#target = { name, path, credentials: plan.credentials, isIsolated: plan.isolation !== undefined };
    this.#cwd = cwd;
    this.#opening = encoder.encode(`${secret}>`);
    this.#onOpen = onOpen;
    const { args, env, names } = launchScript(plan, program, markVariable, secret);
    this.#refrains = names.map((name) => encoder.encode(`${name}:`));
    this.args = args;
    this.env = env;
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
    if (this.#refrains.some((refrain) => startsWith(this.#held, refrain))) {
      this.#phase = "failed";
      return undefined;
    }
    // So short a beginning may yet become the shell's word; if nothing follows, `rest` has it.
    const mayBecome = (refrain: Uint8Array) => this.#held.length < refrain.length && startsWith(refrain, this.#held);
    if (this.#refrains.some(mayBecome)) return undefined;
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
    const errno = errnoOf(error);
    if (errno === "ENOENT") {
      return startFailure(this.#target.name, "SPAWN_FAILED", `the server's system has no ${SHELL}`);
    }
    return execFailure(this.#target, errno);
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
    const { name } = this.#target;
    const errno = errnoOfWords(why);
    // The kernel refuses this to every program of the user, the launcher's own too.
    if (step === undefined && errno === "EAGAIN") return execFailure(this.#target, errno);
    if (this.#phase === "failed") {
      return errno === undefined ? startFailure(name, "NOT_EXECUTABLE", why) : execFailure(this.#target, errno);
    }
    if (step === undefined) {
      return startFailure(name, "SPAWN_FAILED", `the launcher failed (${signal ?? words ?? why})`);
    }
    if (step === "cwd") return cwdFailure(this.#cwd, errnoOfWords(why) ?? why, this.#target);
    return startFailure(name, "SPAWN_FAILED", `${STEPS[step] ?? step} (${why})`);
  }
}

/** What went wrong, by the name of the step. */
const STEPS: Readonly<Record<string, string>> = {
  cgroup: "its cgroup could not be joined",
  pipes: "its standard streams could not be given to its user",
  isolation: "it could not be isolated",
  ...Object.fromEntries(LAUNCH_STEPS.map(({ name, failure }) => [name, failure])),
};

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
