/**
 * Slurm, through its client commands sbatch(1), squeue(1), sinfo(1), scancel(1) and scontrol(1).
 *
 * Slurm gives the number of a forgotten job to the next one. After a failure of its controller it runs a job twice,
 * whatever its settings say. So a job is known by our name, and a number is used together with that name only.
 */
import {
  type CancelSignal,
  type Engine,
  type EngineRef,
  EngineRefusedError,
  EngineUnavailableError,
} from "../engine.ts";
import type { BegunJob, EngineWord, Needs } from "../engine.ts";
import { type CommandResult, SlurmCommands, type SlurmCommandsOptions } from "./command.ts";
import { forgottenWords, NAME_PREFIX, readSilentNodes, readWords, withNodeAnswers, WORD_FIELDS } from "./words.ts";

/** How long before its time limit a job host is asked to end its job, in seconds. */
const NOTICE_SECONDS = 60;

/**
 * Answers of sbatch(1) after which a job has certainly not been taken: the texts of Slurm's errno.c. Every other failure
 * leaves it open, such as one of the connection or of munge.
 */
const REFUSED = new RegExp(
  [
    "Invalid (partition|feature|account|qos|job|node|license|generic|Trackable|wckey|reservation|--)",
    "Requested (node|partition|time|operation|reservation|GRES)",
    "can not be satisfied",
    "not permitted",
    "Access.*denied",
    "[Vv]iolates",
    "specification invalid",
    "Unable to (open file|process arguments)",
    "unrecognized option",
    "No partition specified or system default partition",
    "account has insufficient",
  ].join("|"),
);

/** An answer of scancel(1) that means that nothing is left to cancel. */
const NOTHING_TO_CANCEL = /Invalid job id specified|already completing or completed/;

/** How to reach a cluster. */
export interface SlurmEngineOptions extends SlurmCommandsOptions {
  /** The path of slurm.conf. Without one the commands find it themselves. */
  readonly conf?: string;
}

/** One cluster. */
export class SlurmEngine implements Engine {
  readonly name = "slurm";
  readonly #commands: SlurmCommands;
  readonly #env: Readonly<Record<string, string>>;

  constructor(options: SlurmEngineOptions) {
    this.#env = { ...options.env, ...(options.conf === undefined ? {} : { SLURM_CONF: options.conf }) };
    this.#commands = new SlurmCommands({ ...options, env: this.#env });
  }

  async submit(id: string, token: string, needs: Needs): Promise<string> {
    const result = await this.#commands.run("sbatch", [
      "--parsable",
      "--no-requeue",
      `--job-name=${NAME_PREFIX}${id}`,
      "--output=/dev/null",
      "--error=/dev/null",
      "--chdir=/",
      "--nodes=1",
      "--ntasks=1",
      `--signal=B:TERM@${NOTICE_SECONDS}`,
      // The commands have only the variables that a host needs. With a list of names, as with NONE, Slurm starts a login
      // shell on the node first, for more than a second.
      "--export=ALL",
      ...needsArgs(needs),
    ], token);
    if (result.code === 0) {
      const handle = /^\d+/.exec(result.stdout.trim())?.[0];
      if (handle !== undefined) return handle;
      throw new EngineUnavailableError(`sbatch printed no number but ${JSON.stringify(result.stdout.slice(0, 200))}`);
    }
    if (REFUSED.test(result.stderr)) throw new EngineRefusedError(`Slurm refuses the job: ${result.stderr}`);
    throw failed("sbatch", result);
  }

  async find(id: string): Promise<readonly EngineRef[]> {
    const words = await this.#words([`--name=${NAME_PREFIX}${id}`]);
    return words.map(({ id, handle }) => ({ id, ...(handle === undefined ? {} : { handle }) }));
  }

  async cancel(ref: EngineRef, how: CancelSignal): Promise<void> {
    const refs = ref.handle === undefined ? await this.find(ref.id) : [ref];
    const handles = refs.flatMap(({ handle }) => handle ?? []);
    if (handles.length === 0) return;
    // A plain scancel(1) of a running job signals every step and kills them after the KillWait of the cluster.
    const signal = how === "TERM" ? ["--batch", "--signal=TERM"] : [];
    const result = await this.#commands.run("scancel", [...signal, `--name=${NAME_PREFIX}${ref.id}`, ...handles]);
    if (result.code !== 0 && !NOTHING_TO_CANCEL.test(result.stderr)) throw failed("scancel", result);
  }

  words(begun: readonly BegunJob[] = []): Promise<readonly EngineWord[]> {
    return this.#words([], begun);
  }

  /** Returns what an operator should know about this cluster when the server starts, a sentence each. */
  async facts(): Promise<readonly string[]> {
    const result = await this.#commands.run("scontrol", ["show", "config"]);
    if (result.code !== 0) throw failed("scontrol", result);
    const tracker = /^ProctrackType\s*=\s*(\S+)/m.exec(result.stdout)?.[1] ?? "unknown";
    if (tracker === "proctrack/cgroup") return [];
    return [
      `Slurm's ProctrackType is ${tracker}: when a job host is killed together with its script, processes that left ` +
      "its session run on: set ProctrackType=proctrack/cgroup in slurm.conf",
    ];
  }

  async #words(filter: readonly string[], begun: readonly BegunJob[] = []): Promise<EngineWord[]> {
    // Everybody may give a job our name, so only jobs of this server's user count.
    const args = ["--noheader", "--all", "--states=all", `--user=${Deno.uid()}`, "-O", WORD_FIELDS, ...filter];
    const result = await this.#commands.run("squeue", args);
    if (result.code !== 0) throw failed("squeue", result);
    const words = readWords(result.stdout);
    const known = new Set(words.map(({ id }) => id));
    const forgotten = begun.filter(({ id }) => !known.has(id));
    if (forgotten.length === 0 && !words.some(({ phase }) => phase === "NODE_LOST")) return words;
    const nodes = await this.#commands.run("sinfo", ["--noheader", "--Node", "-o", "%N|%T"]);
    if (nodes.code !== 0) throw failed("sinfo", nodes);
    const silent = readSilentNodes(nodes.stdout);
    return [...withNodeAnswers(words, silent), ...forgottenWords(forgotten, silent)];
  }
}

/** Slurm counts memory in MiB and time in minutes and seconds, each rounded up so that a job gets what it asked for. */
function needsArgs(needs: Needs): string[] {
  const args: string[] = [];
  if (needs.cpus !== undefined) args.push(`--cpus-per-task=${Math.max(1, Math.ceil(needs.cpus))}`);
  if (needs.memoryBytes !== undefined) args.push(`--mem=${Math.max(1, Math.ceil(needs.memoryBytes / 2 ** 20))}M`);
  if (needs.runMs !== undefined) args.push(`--time=${minutesAndSeconds(needs.runMs)}`);
  if (needs.partition !== undefined) args.push(`--partition=${needs.partition}`);
  if (needs.constraint !== undefined) args.push(`--constraint=${needs.constraint}`);
  if (needs.account !== undefined) args.push(`--account=${needs.account}`);
  return args;
}

/** The limit of our own time-out must come first, so Slurm's is longer by the notice that it gives and a minute. */
function minutesAndSeconds(runMs: number): string {
  const seconds = Math.ceil(runMs / 1_000) + NOTICE_SECONDS + 60;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function failed(command: string, { code, stderr }: CommandResult): EngineUnavailableError {
  return new EngineUnavailableError(`${command} failed with exit code ${code}: ${stderr || "it printed no reason"}`);
}
