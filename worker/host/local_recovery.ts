/** Recovers jobs of dead job hosts in this process, without a job host that lives. */
import type { OutputLogOptions } from "../output/log.ts";
import { DeadEnds, type DeadEndsOptions } from "./dead_ends.ts";
import type { OrphanedJob, RecoveredJob } from "./link.ts";
import { recoverOrphan } from "./orphans.ts";

/** The recovery of jobs in this process. Its user must be allowed to signal their processes. */
export class LocalRecovery {
  readonly #options: DeadEndsOptions;
  readonly #deadEnds: DeadEnds;

  constructor(options: DeadEndsOptions) {
    this.#options = options;
    this.#deadEnds = new DeadEnds(options);
  }

  /**
   * Ends the survivors of a job, repairs its output, and says how the job ended.
   *
   * @param log the log of the job
   * @throws {Error} when the ends of its host cannot be read
   */
  async recover(job: OrphanedJob, log: OutputLogOptions): Promise<RecoveredJob> {
    const { bootId, onError } = this.#options;
    return await this.#deadEnds.recover(job, log.directory) ?? await recoverOrphan(job, { bootId, log, onError });
  }
}
