/** Slurm as an engine: sbatch, squeue and scancel. */
import type { CancelSignal, Engine, EnginePhase, EngineRef, EngineWord, Needs } from "../engine.ts";
import { EngineRefusedError, EngineUnavailableError } from "../engine.ts";
import { defined } from "../../../base/defined.ts";
import { errorMessage } from "../../../base/error_message.ts";

/** The time limit of each client command, in milliseconds. A client waits up to 18 s for a controller that is down. */
const COMMAND_MS = 30_000;

const PREFIX = "teleport-";
const FIELDS = "%i|%j|%T|%r|%N";

/** Options of the engine. */
export interface SlurmOptions {
  /** The path of slurm.conf. Absent: Slurm's own default. */
  readonly conf?: string;
  /** The environment of the client commands and of node hosts. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeLimitMs?: number;
  readonly onWarning: (text: string) => void;
}

/** Slurm. */
export class SlurmEngine implements Engine {
  readonly name = "slurm";
  readonly #options: SlurmOptions;
  readonly #env: Readonly<Record<string, string>>;

  constructor(options: SlurmOptions) {
    this.#options = options;
    this.#env = { ...options.env, ...defined({ SLURM_CONF: options.conf }) };
  }

  async submit(id: string, token: string, needs: Needs): Promise<string> {
    const { cpus, memoryBytes, runMs, partition, constraint, account } = needs;
    const args = [
      "--parsable",
      "--no-requeue",
      `--job-name=${PREFIX}${id}`,
      "--output=/dev/null",
      "--error=/dev/null",
      "--chdir=/",
      "--signal=B:TERM@60",
      `--export=${Object.keys(this.#env).join(",")}`,
      ...(cpus === undefined ? [] : [`--cpus-per-task=${cpus}`]),
      ...(memoryBytes === undefined ? [] : [`--mem=${Math.ceil(memoryBytes / 1_048_576)}M`]),
      ...(runMs === undefined ? [] : [`--time=${Math.ceil(runMs / 60_000)}`]),
      ...(partition === undefined ? [] : [`--partition=${partition}`]),
      ...(constraint === undefined ? [] : [`--constraint=${constraint}`]),
      ...(account === undefined ? [] : [`--account=${account}`]),
    ];
    const { code, stdout, stderr } = await this.#run("sbatch", args, token);
    if (code === 0) return stdout.trim().split(";")[0] ?? "";
    if (/Batch job submission failed: (Invalid|Requested|Access|Job violates|User)/i.test(stderr)) {
      throw new EngineRefusedError(`Slurm refuses the job: ${lastLine(stderr)}`);
    }
    throw new EngineUnavailableError(`sbatch failed: ${lastLine(stderr)}`);
  }

  async find(id: string): Promise<readonly EngineRef[]> {
    const { stdout } = await this.#ask("squeue", ["-h", "-a", "-t", "all", `--name=${PREFIX}${id}`, "-o", "%i"]);
    return stdout.split("\n").filter((line) => line !== "").map((handle) => ({ id, handle }));
  }

  async cancel({ id, handle }: EngineRef, signal: CancelSignal): Promise<void> {
    const args = [`--name=${PREFIX}${id}`, ...(handle === undefined ? [] : [handle])];
    // A plain scancel ends a job that is queued. With a signal it has no effect on one.
    if (signal === "TERM") await this.#run("scancel", ["--batch", "--signal=TERM", "--state=RUNNING", ...args]);
    else await this.#run("scancel", ["--signal=KILL", "--full", "--state=RUNNING", ...args]);
    await this.#run("scancel", ["--state=PENDING", ...args]);
  }

  async words(): Promise<readonly EngineWord[]> {
    const { stdout } = await this.#ask("squeue", ["-h", "-a", "-t", "all", "-o", FIELDS]);
    return stdout.split("\n").flatMap((line) => {
      const [handle = "", name = "", state = "", reason = "", node = ""] = line.split("|");
      if (!name.startsWith(PREFIX)) return [];
      const text = reason === "" || reason === "None" ? state : `${state} (${reason})`;
      const nodeNames = node === "" || node === "(null)" ? undefined : node;
      return [{ id: name.slice(PREFIX.length), handle, phase: phaseOf(state), text, ...defined({ node: nodeNames }) }];
    });
  }

  async #ask(program: string, args: readonly string[]) {
    const result = await this.#run(program, args);
    if (result.code !== 0) throw new EngineUnavailableError(`${program} failed: ${lastLine(result.stderr)}`);
    return result;
  }

  async #run(program: string, args: readonly string[], input?: string) {
    const signal = AbortSignal.timeout(this.#options.timeLimitMs ?? COMMAND_MS);
    try {
      const child = new Deno.Command(program, {
        args: [...args],
        env: { ...this.#env },
        clearEnv: true,
        stdin: input === undefined ? "null" : "piped",
        stdout: "piped",
        stderr: "piped",
        signal,
      }).spawn();
      if (input !== undefined) {
        const writer = child.stdin.getWriter();
        await writer.write(new TextEncoder().encode(input)).catch(() => {}); // The exit code says why.
        await writer.close().catch(() => {});
      }
      const { code, stdout, stderr } = await child.output();
      const decoder = new TextDecoder();
      if (signal.aborted) throw new EngineUnavailableError(`${program} does not answer`);
      return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    } catch (error) {
      if (error instanceof EngineUnavailableError) throw error;
      throw new EngineUnavailableError(`${program} cannot be run: ${errorMessage(error)}`, { cause: error });
    }
  }
}

function phaseOf(state: string): EnginePhase {
  switch (state) {
    case "PENDING":
    case "CONFIGURING":
    case "REQUEUED":
    case "REQUEUE_HOLD":
    case "REQUEUE_FED":
    case "RESV_DEL_HOLD":
    case "SPECIAL_EXIT":
      return "QUEUED";
    case "RUNNING":
    case "SUSPENDED":
    case "STOPPED":
    case "SIGNALING":
    case "STAGE_OUT":
    case "COMPLETING":
    case "RESIZING":
      return "PLACED";
    case "NODE_FAIL":
      return "NODE_LOST";
    default:
      return "ENDED";
  }
}

function lastLine(text: string): string {
  return text.split("\n").findLast((line) => line.trim() !== "")?.replace(/^\w+: error: /, "") ?? "no message";
}
