/** The ends that dead job hosts have written and no supervisor has stored. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { isFinalState } from "../process/state.ts";
import { type LeftEnds, readEnds } from "./end_line.ts";
import type { JobChange, OrphanedJob, RecoveredJob } from "./link.ts";

/** Returns the recovery of a job whose end its host has seen: no process of it is left. */
export function recoveredEnd({ status, details }: JobChange): RecoveredJob {
  return { status, details, survivors: [], isDenied: false };
}

/** The recovery of a job that never started. */
const NEVER_STARTED: RecoveredJob = { status: { state: "INITIAL" }, details: {}, survivors: [], isDenied: false };

/** The options of `DeadEnds`. */
export interface DeadEndsOptions {
  readonly hostsDirectory: string;
  /** The id of the current boot. */
  readonly bootId: string;
  /** Receives an error for each damaged line, which is skipped. */
  readonly onError: (error: unknown) => void;
}

/** Reads the ends of dead hosts, each host once: a dead host writes no more. */
export class DeadEnds {
  readonly #options: DeadEndsOptions;
  readonly #ends = new Map<string, Promise<LeftEnds>>();

  constructor(options: DeadEndsOptions) {
    this.#options = options;
  }

  /**
   * Returns how a job ended, or that it never started. Undefined when its host wrote no end, and for a job that no host ran.
   *
   * @param outputDirectory the directory of its log
   * @throws {Error} when the ends of its host cannot be read
   */
  async recover(job: OrphanedJob, outputDirectory: string): Promise<RecoveredJob | undefined> {
    const { spec, status, process } = job;
    const host = process?.host;
    if (host === undefined || isFinalState(status.state)) return undefined;
    const reading = this.#ends.get(host) ?? this.#read(host);
    this.#ends.set(host, reading);
    try {
      const { ends, areComplete } = await reading;
      const end = ends.get(spec.id);
      if (end !== undefined) return recoveredEnd(end);
      return areComplete && this.#isBeforeStart(job, outputDirectory) ? NEVER_STARTED : undefined;
    } catch (error) {
      this.#ends.delete(host);
      throw error;
    }
  }

  /**
   * Returns true when nothing shows that a job has started. Before a restart of the machine, the journal may have lost its
   * end. Output shows that it ran, also when somebody has deleted the directory of its host.
   */
  #isBeforeStart({ status, process }: OrphanedJob, outputDirectory: string): boolean {
    const { bootId } = this.#options;
    return status.state === "STARTING" && bootId !== "" && process?.bootId === bootId && !existsSync(outputDirectory);
  }

  /** Forgets what was read of a host. */
  forget(instance: string): void {
    this.#ends.delete(instance);
  }

  #read(host: string): Promise<LeftEnds> {
    const { hostsDirectory, onError } = this.#options;
    return Promise.try(readEnds, join(hostsDirectory, host), (line) => {
      onError(new Error(`Line ${line} of the ends of job host "${host}" is damaged and was skipped`));
    });
  }
}
