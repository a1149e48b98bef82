/**
 * A plain model of the supervisor, as simple as possible. Jobs are in the order of registration. Nothing takes
 * time, because a step is over when everything that it started has ended.
 */
import type { State } from "../../../mod.ts";

/** The kinds of jobs, by their behaviour after the start. */
export type Kind = "exits" | "writes" | "stays" | "missing";

/** A job of the model. */
export interface ModelJob {
  readonly id: string;
  readonly kind: Kind;
  readonly exitCode: number;
  readonly owner: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly requestId: string | undefined;
  state: State;
  reason?: string;
  signal?: string;
  stoppedBy?: string;
  /** Its output. */
  output: string;
  /** Its end as the supervisor reports it. Only the order of times is checked. */
  endedAt: number;
}

/** The jobs that a list selects. */
export interface ModelFilter {
  readonly states?: readonly State[];
  readonly owner?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly command?: string;
}

/** The expected result of a step: nothing, or the code of an error. */
export type Outcome =
  | "OK"
  | "JOB_NOT_FOUND"
  | "JOB_RUNNING"
  | "JOB_NOT_RUNNING"
  | "LIMIT_REACHED"
  | "REQUEST_ID_REUSED";

const FINAL: readonly State[] = ["EXITED", "KILLED", "FAILED", "LOST"];

/** The number of removed jobs whose request ids are kept. */
const REMEMBERED = 1_000;

/** The model. */
export class Model {
  readonly jobs: ModelJob[] = [];
  readonly #maxJobs: number;
  /** By owner and request id: the job, or the number of its removal. */
  readonly #requests = new Map<string, ModelJob | number>();
  #removals = 0;

  constructor(maxJobs: number) {
    this.#maxJobs = maxJobs;
  }

  find(id: string): ModelJob | undefined {
    return this.jobs.find((job) => job.id === id);
  }

  /** Returns the expected result of an add, with the id of the existing job when the request was made before. */
  canAdd(job: Omit<ModelJob, "id" | "state" | "output" | "endedAt">): { outcome: Outcome; id?: string } {
    if (job.requestId !== undefined) {
      const known = this.#requests.get(`${job.owner} ${job.requestId}`);
      if (typeof known === "number" && this.#removals - known < REMEMBERED) return { outcome: "REQUEST_ID_REUSED" };
      if (typeof known === "object") {
        const isSame = commandOf(known).join() === commandOf(job).join() &&
          JSON.stringify(known.labels) === JSON.stringify(job.labels);
        return isSame ? { outcome: "OK", id: known.id } : { outcome: "REQUEST_ID_REUSED" };
      }
    }
    if (this.jobs.length < this.#maxJobs || this.#oldestEnded() !== undefined) return { outcome: "OK" };
    return { outcome: "LIMIT_REACHED" };
  }

  add(job: Omit<ModelJob, "state" | "output" | "endedAt">): void {
    const oldest = this.jobs.length >= this.#maxJobs ? this.#oldestEnded() : undefined;
    if (oldest !== undefined) this.#forget(oldest);
    const added: ModelJob = { ...job, state: "INITIAL", output: "", endedAt: Infinity };
    this.jobs.push(added);
    if (job.requestId !== undefined) this.#requests.set(`${job.owner} ${job.requestId}`, added);
  }

  /** Returns the job with the oldest end; of two with the same end, the one registered first. */
  #oldestEnded(): ModelJob | undefined {
    return this.jobs.filter(({ state }) => FINAL.includes(state)).sort((a, b) => a.endedAt - b.endedAt)[0];
  }

  #forget(job: ModelJob): void {
    this.jobs.splice(this.jobs.indexOf(job), 1);
    this.#removals += 1;
    if (job.requestId !== undefined) this.#requests.set(`${job.owner} ${job.requestId}`, this.#removals);
  }

  start(id: string): Outcome {
    const job = this.find(id);
    if (job === undefined) return "JOB_NOT_FOUND";
    if (job.state !== "INITIAL") return "OK";
    if (job.kind === "stays") job.state = "RUNNING";
    else if (job.kind === "missing") Object.assign(job, { state: "FAILED", reason: "START_FAILED" });
    else Object.assign(job, { state: "EXITED", reason: "EXITED" });
    if (job.kind === "writes") job.output = `out of ${job.exitCode}\n`;
    return "OK";
  }

  stop(id: string, by: string | undefined, reason: "STOPPED" | "SHUTDOWN" = "STOPPED"): Outcome {
    const job = this.find(id);
    if (job === undefined) return "JOB_NOT_FOUND";
    if (job.state === "RUNNING") Object.assign(job, { state: "KILLED", signal: "SIGTERM", reason, stoppedBy: by });
    return "OK";
  }

  signal(id: string, signal: string, by: string): Outcome {
    const job = this.find(id);
    if (job === undefined) return "JOB_NOT_FOUND";
    if (job.state !== "RUNNING") return "JOB_NOT_RUNNING";
    Object.assign(job, { state: "KILLED", signal, reason: "SIGNALED", stoppedBy: by });
    return "OK";
  }

  remove(id: string): Outcome {
    const job = this.find(id);
    if (job === undefined) return "JOB_NOT_FOUND";
    if (job.state === "RUNNING") return "JOB_RUNNING";
    this.#forget(job);
    return "OK";
  }

  /** The supervisor closes, and another one opens the directory. */
  restart(): void {
    for (const { id } of this.jobs) this.stop(id, undefined, "SHUTDOWN");
  }

  /** Returns the selected jobs, newest first. */
  list(filter: ModelFilter): ModelJob[] {
    return this.jobs.filter((job) =>
      (filter.states === undefined || filter.states.includes(job.state)) &&
      (filter.owner === undefined || filter.owner === job.owner) &&
      Object.entries(filter.labels ?? {}).every(([name, value]) => job.labels[name] === value) &&
      (filter.command === undefined || commandOf(job).join(" ").includes(filter.command))
    ).toReversed();
  }
}

/** Returns the command line of a job of the model. */
export function commandOf({ kind, exitCode }: Pick<ModelJob, "kind" | "exitCode">): [string, ...string[]] {
  switch (kind) {
    case "exits":
      return exitCode === 0 ? ["true"] : ["sh", "-c", `exit ${exitCode}`];
    case "writes":
      return ["sh", "-c", `echo out of ${exitCode}; exit ${exitCode}`];
    case "stays":
      return ["sleep", "1000"];
    case "missing":
      return ["no-such-program"];
  }
}
