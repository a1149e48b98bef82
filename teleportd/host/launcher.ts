/** Starts a job host as a process of its own, which outlives this one. */
import { errorMessage } from "../../base/error_message.ts";
import { deadline } from "../../base/deadline.ts";
import { hostRunArguments, type HostRunOptions, newInstance } from "./options.ts";
import { MANAGER_VARIABLES } from "../environment.ts";

/** How long a job host may take until it accepts links, in milliseconds. */
const READY_MS = 60_000;

/** The most characters of standard error that are kept for an error. */
const MAX_ERROR_CHARS = 16_384;

/** The beginning of a sentence with which this program refuses to start. */
const PREFIX = "teleportd: ";

/** The line with which a job host reports on standard output that it accepts links. */
export function readyLine(instance: string): string {
  return `ready ${instance}\n`;
}

/** The options of an error. */
export interface LaunchErrorOptions extends ErrorOptions {
  readonly isComplete?: boolean;
  readonly forUsers?: string;
}

/** A job host could not be started. The message is the reason. */
export class LaunchError extends Error {
  override readonly name = "LaunchError";
  /** True for a sentence of the job host itself, which says what could not be done and why. */
  readonly isComplete: boolean;
  /** The reason for users, when the message is for the administrator alone. */
  readonly forUsers?: string;

  constructor(reason: string, options: LaunchErrorOptions = {}) {
    super(reason, options);
    this.isComplete = options.isComplete ?? false;
    if (options.forUsers !== undefined) this.forUsers = options.forUsers;
  }
}

/** The variable that tells a job host that it takes over from another one at the service manager. */
export const SUCCESSOR_VARIABLE = "TELEPORT_SUCCESSOR";

/** Variables for this process alone, with the values that turn them off. The runtime warns of an empty `OTEL_DENO`. */
const NOT_PASSED = { OTEL_DENO: "false", DENO_SERVE_ADDRESS: "" };

/** How the new host relates to this process. */
export interface LaunchOptions {
  /** True for a host that takes over from this process at the service manager, and logs to the same place. */
  readonly isSuccessor?: boolean;
}

/**
 * Starts a job host and waits until it accepts links. It is in a session of its own, and has neither descriptors nor the
 * terminal of this process. A successor is a child of the first process of the machine, as `HostLink.succeed` says why.
 *
 * @param command the command line of this program without arguments
 * @returns its instance
 * @throws {LaunchError} when it ends before, with its own words, or does not accept links in time
 */
export async function launchHost(
  command: readonly string[],
  options: HostRunOptions,
  { isSuccessor = false }: LaunchOptions = {},
): Promise<string> {
  const instance = newInstance();
  // setsid(1) ends at once, so its child has no parent.
  const [program = "", ...own] = isSuccessor ? ["setsid", "--fork", ...command] : command;
  const hidden = isSuccessor ? [] : [...MANAGER_VARIABLES];
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args: [...own, "host", "run", ...hostRunArguments({ ...options, instance })],
      // A variable cannot be removed. An empty one means the same to all who read these.
      env: {
        ...NOT_PASSED,
        ...Object.fromEntries(hidden.map((name) => [name, ""])),
        [SUCCESSOR_VARIABLE]: isSuccessor ? "1" : "",
      },
      detached: true,
      stdin: "null",
      stdout: "piped",
      stderr: isSuccessor ? "inherit" : "piped",
    }).spawn();
  } catch (error) {
    throw new LaunchError(`"${program}" cannot be started: ${errorMessage(error)}`, { cause: error });
  }
  // Neither the host nor the wait for its end keeps this process alive.
  child.unref();
  const errors = isSuccessor ? undefined : readErrors(child.stderr);
  const stdout = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    const isReady = await deadline(sees(stdout, readyLine(instance)), READY_MS);
    if (isReady === true) return instance;
    if (isReady === undefined) {
      if (!isSuccessor) child.kill("SIGKILL");
      throw new LaunchError(`it is not ready after ${READY_MS / 1_000} s`);
    }
    const { code, signal } = await child.status;
    await errors?.ended;
    const own = errors?.ownWords();
    if (own !== undefined) throw new LaunchError(own, { isComplete: true });
    if (isSuccessor) throw new LaunchError("it ended at its start, see the log");
    throw new LaunchError(errors?.lastLine() || `it ended with ${signal ?? `exit code ${code}`}`);
  } finally {
    // The host has its own log from now on. This closes the pipes.
    await Promise.allSettled([stdout.cancel(), errors?.cancel()]);
  }
}

/** Resolves to true when a stream has the text, and to false when it ends without. */
async function sees(reader: ReadableStreamDefaultReader<string>, wanted: string): Promise<boolean> {
  let text = "";
  while (!text.includes(wanted)) {
    const { value, done } = await reader.read();
    if (done) return false;
    text = (text + value).slice(-wanted.length * 2);
  }
  return true;
}

/** Reads standard error in the background. */
function readErrors(stream: ReadableStream<Uint8Array>) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const ended = (async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text = (text + value).slice(-MAX_ERROR_CHARS);
    }
  })().catch(() => {});
  return {
    ended,
    cancel: () => reader.cancel(),
    /** Returns the sentence with which the host refused to start. */
    ownWords() {
      const line = text.split("\n").findLast((line) => line.startsWith(PREFIX));
      return line?.slice(PREFIX.length);
    },
    lastLine: () => text.split("\n").findLast((line) => line.trim() !== ""),
  };
}
