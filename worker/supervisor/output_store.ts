/** Where the output of each job is on the disk, and how it is deleted when the job is forgotten. */
import { join } from "node:path";
import type { AnyJob } from "../job/any_job.ts";
import type { JobSpec } from "../job/spec.ts";
import type { OutputLogOptions } from "../output/log.ts";
import { defined } from "../../base/defined.ts";

/** What it works with. */
export interface OutputFilesOptions {
  /** Of all jobs; absent: a temporary one, made for the first job. */
  readonly directory?: string;
  /** Told when the output of a forgotten job is deleted. */
  readonly onDeleted: (id: string) => void;
  readonly onError: (error: unknown) => void;
}

/** The output of all jobs, in a directory for each that has any. */
export class OutputFiles {
  readonly #options: OutputFilesOptions;
  /** Output that is being deleted. */
  readonly #deletions = new Set<Promise<void>>();
  /** Undefined before the first job, where it is temporary. */
  #directory: string | undefined;

  constructor(options: OutputFilesOptions) {
    this.#options = options;
    if (options.directory !== undefined) this.#directory = join(options.directory, "output");
  }

  /** Makes the directory, where it is not temporary. */
  async open(): Promise<void> {
    if (this.#directory !== undefined) await Deno.mkdir(this.#directory, { recursive: true, mode: 0o700 });
  }

  /** Makes the directory where it is temporary, before the first job. */
  ensure(): void {
    this.#directory ??= Deno.makeTempDirSync({ prefix: "teleport-" });
  }

  /** Options of the log of one job. */
  logOptions({ id, outputLimit }: JobSpec): OutputLogOptions {
    return { directory: this.#of(id), ...defined({ limit: outputLimit }) };
  }

  #of(id: string): string {
    return join(this.#directory ?? "", id);
  }

  /** Deletes output in the background. What cannot be is tried again by the next life. */
  delete(id: string, job?: AnyJob): Promise<void> {
    const deletion = this.deleteNow(id, job)
      .then(() => this.#options.onDeleted(id))
      .catch((error) => this.#options.onError(error))
      .finally(() => this.#deletions.delete(deletion));
    this.#deletions.add(deletion);
    return deletion;
  }

  /** Deletes output, and tells nobody. */
  async deleteNow(id: string, job: AnyJob | undefined): Promise<void> {
    // Those who read it are told; a damaged log is no reason not to delete it.
    await job?.remove().catch(() => {});
    try {
      await Deno.remove(this.#of(id), { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // Made with the first byte only.
    }
  }

  /** Resolves when nothing is being deleted any more. */
  async settle(): Promise<void> {
    while (this.#deletions.size > 0) await Promise.all(this.#deletions);
  }

  /** Deletes all of it where it is temporary. */
  async close(): Promise<void> {
    if (this.#options.directory !== undefined || this.#directory === undefined) return;
    await Deno.remove(this.#directory, { recursive: true });
  }
}
