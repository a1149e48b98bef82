/** The ends that dead job hosts have written and no supervisor has stored. */
import { join } from "node:path";
import { isFinalState } from "../process/state.ts";
import { readEnds } from "./end_line.ts";
import type { JobChange, OrphanedJob, RecoveredJob } from "./link.ts";

/** Returns the recovery of a job whose end its host has seen: no process of it is left. */
export function recoveredEnd({ status, details }: JobChange): RecoveredJob {
  return { status, details, survivors: [], isDenied: false };
}

/** Reads the ends of dead hosts, each host once: a dead host writes no more. */
export class DeadEnds {
  readonly #hostsDirectory: string;
  readonly #onError: (error: unknown) => void;
  readonly #ends = new Map<string, Promise<ReadonlyMap<string, JobChange>>>();

  /** @param onError receives an error for each damaged line, which is skipped */
  constructor(hostsDirectory: string, onError: (error: unknown) => void) {
    this.#hostsDirectory = hostsDirectory;
    this.#onError = onError;
  }

  /**
   * Returns how a job ended. Undefined when its host wrote no end, and for a job that no host ran.
   *
   * @throws {Error} when the ends of its host cannot be read
   */
  async recover({ spec, status, process }: OrphanedJob): Promise<RecoveredJob | undefined> {
    const host = process?.host;
    if (host === undefined || isFinalState(status.state)) return undefined;
    const ends = this.#ends.get(host) ?? this.#read(host);
    this.#ends.set(host, ends);
    try {
      const end = (await ends).get(spec.id);
      return end && recoveredEnd(end);
    } catch (error) {
      this.#ends.delete(host);
      throw error;
    }
  }

  /** Forgets what was read of a host. */
  forget(instance: string): void {
    this.#ends.delete(instance);
  }

  #read(host: string): Promise<ReadonlyMap<string, JobChange>> {
    return Promise.try(readEnds, join(this.#hostsDirectory, host), (line) => {
      this.#onError(new Error(`Line ${line} of the ends of job host "${host}" is damaged and was skipped`));
    });
  }
}
