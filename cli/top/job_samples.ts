/** The jobs of `teleport top`: their statuses, what they use now, and the last line of their output. */
import { stripVTControlCharacters } from "node:util";
import type { JobEvent, JobStatus, State } from "../../proto/teleport/v1/job_worker.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";

/** The keys by which jobs are sorted. */
export const SORT_KEYS = ["cpu", "memory", "age", "name", "state"] as const;

/** A key by which jobs are sorted. */
export type SortKey = (typeof SORT_KEYS)[number];

/** A job in the table. */
export interface TopJob {
  status: JobStatus;
  /** The processor use in percent of one core. Undefined when it is unknown. */
  cpuPercent: number | undefined;
  /** In bytes. Undefined when it is unknown. */
  memoryBytes: number | undefined;
  /** The last line of the output, safe for a terminal. */
  lastLine: string;
  /** The bytes of output when the last line was read. */
  lineAtBytes: number;
  /** The processor time at the last sample, and the time of that sample. */
  sample?: { readonly cpuUs: number; readonly atMs: number };
}

/** The jobs that are shown. */
export class JobSamples {
  readonly #jobs = new Map<string, TopJob>();
  readonly #states: readonly State[];
  #known = new Set<string>();

  /** @param states a job in another state leaves the table. Empty: none does */
  constructor(states: readonly State[]) {
    this.#states = states;
  }

  /** The number of jobs. */
  get size(): number {
    return this.#jobs.size;
  }

  /** Applies an event of WatchJobs. */
  apply({ kind, job }: JobEvent): void {
    if (kind === "JOB_EVENT_KIND_CURRENT") {
      // After the stream had to begin again, jobs that are missing are gone.
      for (const id of this.#jobs.keys()) if (!this.#known.has(id)) this.#jobs.delete(id);
      this.#known.clear();
    }
    if (job === null) return;
    if (kind === "JOB_EVENT_KIND_KNOWN") this.#known.add(job.id);
    if (kind === "JOB_EVENT_KIND_REMOVED") this.#jobs.delete(job.id);
    else this.update(job);
  }

  /** Applies a status. */
  update(status: JobStatus): void {
    if (this.#states.length > 0 && !this.#states.includes(status.state)) {
      this.#jobs.delete(status.id);
      return;
    }
    const job = this.#jobs.get(status.id);
    if (job !== undefined) job.status = status;
    else {
      const unknown = { cpuPercent: undefined, memoryBytes: undefined, lastLine: "", lineAtBytes: 0 };
      this.#jobs.set(status.id, { status, ...unknown });
    }
  }

  /**
   * Applies a status with the resource usage at a time.
   *
   * @param atMs the time by a clock that never goes back
   * @param nowMs the time in milliseconds since 1970
   */
  measure(status: JobStatus, atMs: number, nowMs: number): void {
    if (!this.#jobs.has(status.id)) return;
    this.update(status);
    const job = this.#jobs.get(status.id);
    const { usage } = status;
    if (job === undefined) return;
    job.memoryBytes = usage?.memory_bytes;
    if (usage?.cpu_user_us === undefined || usage.cpu_system_us === undefined) {
      job.cpuPercent = undefined;
      return;
    }
    const cpuUs = usage.cpu_user_us + usage.cpu_system_us;
    // The first sample shows the average since the start.
    const startedMs = (status.started_at?.seconds ?? 0) * 1_000;
    const { usedUs, overMs } = job.sample === undefined
      ? { usedUs: cpuUs, overMs: nowMs - startedMs }
      : { usedUs: cpuUs - job.sample.cpuUs, overMs: atMs - job.sample.atMs };
    job.cpuPercent = overMs <= 0 ? 0 : Math.max(0, usedUs / 10 / overMs);
    job.sample = { cpuUs, atMs };
  }

  /** Keeps the last line of a job's output. */
  setLastLine(id: string, output: Uint8Array, atBytes: number): void {
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    job.lastLine = lastLineOf(output);
    job.lineAtBytes = atBytes;
  }

  /** Returns the jobs in order. */
  sorted(key: SortKey): TopJob[] {
    return [...this.#jobs.values()].sort((a, b) => compare(a, b, key) || (a.status.id < b.status.id ? 1 : -1));
  }
}

function compare(a: TopJob, b: TopJob, key: SortKey): number {
  switch (key) {
    case "cpu":
      return (b.cpuPercent ?? -1) - (a.cpuPercent ?? -1);
    case "memory":
      return (b.memoryBytes ?? -1) - (a.memoryBytes ?? -1);
    case "age":
      return (b.status.registered_at?.seconds ?? 0) - (a.status.registered_at?.seconds ?? 0);
    case "name":
      return order(a.status.name || "\uffff", b.status.name || "\uffff");
    case "state":
      return order(a.status.state, b.status.state);
  }
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Returns the last line that is not empty, without colours and safe for a terminal. Progress bars end lines with CR. */
export function lastLineOf(output: Uint8Array): string {
  const lines = new TextDecoder().decode(output).split(/[\r\n]+/).map((line) => stripVTControlCharacters(line).trim());
  return escapeTerminal(lines.findLast((line) => line !== "") ?? "");
}
