/** Runs the client commands of Slurm, such as sbatch(1). Each takes 9 to 18 seconds when the controller does not answer. */
import { AtOnce } from "../../../base/at_once.ts";
import { errorMessage } from "../../../base/error_message.ts";
import { EngineUnavailableError } from "../engine.ts";

/** The time limit of a command. It is longer than what the commands themselves wait for a controller. */
const MAX_COMMAND_MS = 30_000;

/** The most commands at once. Each has a process and a connection to the controller. */
const MAX_COMMANDS = 4;

/** The result of a command that ended by itself. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  /** The messages, on one line. */
  readonly stderr: string;
}

/** How commands run. */
export interface SlurmCommandsOptions {
  /** The environment of each command: PATH, HOME, SLURM_CONF and such. */
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly timeLimitMs?: number;
}

/** The client commands of one cluster. */
export class SlurmCommands {
  readonly #env: Readonly<Record<string, string>>;
  readonly #timeLimitMs: number;
  readonly #commands = new AtOnce(MAX_COMMANDS);

  constructor(options: SlurmCommandsOptions) {
    // The answers are parsed, so they must not depend on a language or on formats of the operator.
    this.#env = { ...options.env, LC_ALL: "C" };
    this.#timeLimitMs = options.timeLimitMs ?? MAX_COMMAND_MS;
  }

  /**
   * Runs a command to its end.
   *
   * @param input standard input
   * @throws {EngineUnavailableError} when it cannot start or does not end in time
   */
  run(command: string, args: readonly string[], input = ""): Promise<CommandResult> {
    return this.#commands.run(() => this.#run(command, args, input));
  }

  async #run(command: string, args: readonly string[], input: string): Promise<CommandResult> {
    const child = this.#spawn(command, args);
    const { promise: overdue, reject } = Promise.withResolvers<never>();
    const end = new AbortController();
    const timer = setTimeout(() => {
      reject(new EngineUnavailableError(`${command} did not end within ${this.#timeLimitMs} ms`));
      try {
        child.kill("SIGKILL");
      } catch {
        // The command has ended, and its children have not.
      }
    }, this.#timeLimitMs);
    try {
      // A command may be a script of the operator, whose children keep the pipes open after its end.
      const result = Promise.all([
        read(child.stdout, end.signal),
        read(child.stderr, end.signal),
        child.status,
        write(child.stdin, input),
      ]);
      const [stdout, stderr, { code }] = await Promise.race([result, overdue]);
      return { code, stdout, stderr: stderr.trim().replaceAll(/\s*\n\s*/g, "; ") };
    } finally {
      clearTimeout(timer);
      end.abort();
    }
  }

  #spawn(command: string, args: readonly string[]): Deno.ChildProcess {
    try {
      return new Deno.Command(command, {
        args: [...args],
        env: this.#env,
        clearEnv: true,
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
    } catch (error) {
      throw new EngineUnavailableError(`${command} cannot be started: ${errorMessage(error)}`, { cause: error });
    }
  }
}

/** Reads a text to its end, or until the signal aborts. */
async function read(stream: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<string> {
  const reader = stream.getReader();
  const cancel = () => void reader.cancel().catch(() => {}); // It has ended already.
  signal.addEventListener("abort", cancel, { once: true });
  const decoder = new TextDecoder();
  let text = "";
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    text += decoder.decode(next.value, { stream: true });
  }
  return text;
}

/** Writes all input. A command that ends without reading it reports that by its exit code. */
async function write(stdin: WritableStream<Uint8Array>, input: string): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  } catch {
    await writer.abort().catch(() => {});
  }
}
