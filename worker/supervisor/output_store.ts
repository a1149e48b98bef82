/** Knows where the output of each job is on the disk, and deletes the output of removed jobs. */
import { removeDirectory } from "../remove_directory.ts";
import { join } from "node:path";
import type { AnyJob } from "../job/any_job.ts";
import type { JobSpec } from "../job/spec.ts";
import type { OutputLogOptions } from "../output/log.ts";
import { errorCode } from "../../base/error_code.ts";
import { defined } from "../../base/defined.ts";

/** The options of an output store. */
export interface OutputStoreOptions {
  /** The data directory. Absent: a temporary directory, made for the first job. */
  readonly directory?: string;
  /** Deletes the output of a job that this process may not delete. Absent: there is no job host. */
  readonly deleteByHost?: (id: string) => Promise<void>;
  /** Called when the output of a removed job is deleted. */
  readonly onDeleted: (id: string) => void;
  readonly onError: (error: unknown) => void;
}

/** The output of all jobs: one directory for each job that has any. */
export class OutputStore {
  readonly #options: OutputStoreOptions;
  readonly #deletions = new Set<Promise<void>>();
  /** Undefined until the first job when the directory is temporary. */
  #directory: string | undefined;

  constructor(options: OutputStoreOptions) {
    this.#options = options;
    if (options.directory !== undefined) this.#directory = join(options.directory, "output");
  }

  /** Makes the directory, unless it is temporary. */
  async open(): Promise<void> {
    if (this.#directory !== undefined) await Deno.mkdir(this.#directory, { recursive: true, mode: 0o700 });
  }

  /** Makes the temporary directory, when there is none yet. Called before a job is added. */
  ensure(): void {
    this.#directory ??= Deno.makeTempDirSync({ prefix: "teleport-" });
  }

  /** Returns the options for the log of a job. */
  logOptions({ id, outputLimit }: JobSpec): OutputLogOptions {
    return { directory: this.#directoryOf(id), ...defined({ limit: outputLimit }) };
  }

  #directoryOf(id: string): string {
    return join(this.#directory ?? "", id);
  }

  /** Deletes the output of a job in the background. After a failure, the next server tries again. */
  delete(id: string, job?: AnyJob): Promise<void> {
    const deletion = this.deleteNow(id, job)
      .then(() => this.#options.onDeleted(id))
      .catch((error) => this.#options.onError(error))
      .finally(() => this.#deletions.delete(deletion));
    this.#deletions.add(deletion);
    return deletion;
  }

  /** Deletes the output of a job. Does not call `onDeleted`. */
  async deleteNow(id: string, job: AnyJob | undefined): Promise<void> {
    // Ends the readers of the log. A damaged log is deleted too.
    await job?.remove().catch(() => {});
    try {
      await removeDirectory(this.#directoryOf(id)); // The first byte of output makes it.
    } catch (error) {
      if (this.#options.deleteByHost === undefined || errorCode(error) !== "EACCES") throw error;
      await this.#options.deleteByHost(id); // The host runs as another user.
    }
  }

  /** Resolves when all deletions have finished. */
  async waitForDeletions(): Promise<void> {
    while (this.#deletions.size > 0) await Promise.all(this.#deletions);
  }

  /** Deletes the temporary directory, if there is one. */
  async close(): Promise<void> {
    if (this.#options.directory !== undefined || this.#directory === undefined) return;
    await Deno.remove(this.#directory, { recursive: true });
  }
}
