/** Calls back when files in directories have changed. Calls do not overlap. */

/** Options of {@linkcode FileChanges}. */
export interface FileChangesOptions {
  /**
   * The directories to watch. Files are replaced by renaming, and Kubernetes replaces a link next to them, so a watch on a
   * file would miss that. If a directory cannot be watched, only a nudge helps.
   */
  readonly directories: readonly string[];
  /** Called after a change. Never called while an earlier call still runs. Must not reject. */
  readonly onChange: () => Promise<void>;
  /** Called for each directory that cannot be watched. */
  readonly onUnwatched: (directory: string, error: unknown) => void;
}

/** The quiet time after a change, in milliseconds. Certificate, key and list are written one after another. */
const SETTLE_MS = 50;

/** The longest delay for a program that does not stop writing, in milliseconds. */
const MAX_SETTLE_MS = 500;

/** Watches directories until it is disposed of. No timer runs between changes. */
export class FileChanges implements AsyncDisposable {
  readonly #onChange: () => Promise<void>;
  readonly #watchers: Deno.FsWatcher[] = [];
  readonly #loops: Promise<void>[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The time of the first change that has not been reported. */
  #firstMs: number | undefined;
  #running: Promise<void> | undefined;
  #isPending = false;
  #isClosed = false;

  constructor({ directories, onChange, onUnwatched }: FileChangesOptions) {
    this.#onChange = onChange;
    for (const directory of new Set(directories)) {
      try {
        const watcher = Deno.watchFs(directory, { recursive: false });
        this.#watchers.push(watcher);
        this.#loops.push(this.#follow(watcher).catch((error) => onUnwatched(directory, error)));
      } catch (error) {
        onUnwatched(directory, error);
      }
    }
  }

  /** Calls back now. If a call is running, calls back once more after it. Resolves when no call is running or due. */
  async nudge(): Promise<void> {
    clearTimeout(this.#timer);
    this.#firstMs = undefined;
    if (this.#isClosed) return;
    this.#isPending = true;
    await (this.#running ??= this.#run());
  }

  async #follow(watcher: Deno.FsWatcher): Promise<void> {
    for await (const { kind } of watcher) {
      // The kind "access" comes after the changes, when a writer closes the file. inotify(7) can also report reads by it.
      // The reads of a reload would then cause the next reload.
      if (kind !== "access") this.#settle();
    }
  }

  #settle(): void {
    const nowMs = performance.now();
    this.#firstMs ??= nowMs;
    clearTimeout(this.#timer);
    const waitMs = Math.min(SETTLE_MS, Math.max(0, this.#firstMs + MAX_SETTLE_MS - nowMs));
    this.#timer = setTimeout(() => void this.nudge(), waitMs);
  }

  async #run(): Promise<void> {
    while (this.#isPending && !this.#isClosed) {
      this.#isPending = false;
      await this.#onChange();
    }
    this.#running = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
    await Promise.all(this.#loops);
    await this.#running;
  }
}
