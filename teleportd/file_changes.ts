/** Notices that files have changed, in directories or by a nudge, and has them taken up, one time after another. */

/** What is watched, and what then happens. */
export interface FileChangesOptions {
  /**
   * Directories, not files: files are replaced by renaming, and Kubernetes exchanges a link beside them. One that cannot
   * be watched is told of, and then only a nudge helps.
   */
  readonly directories: readonly string[];
  /** Takes up what has changed. Never called while it still runs. Must not reject. */
  readonly takeUp: () => Promise<void>;
  /** Told of a directory that cannot be watched. */
  readonly onUnwatched: (directory: string, error: unknown) => void;
}

/** Certificate, key and list come one after another; so long nothing more must have come for them to be read. */
const SETTLE_MS = 50;

/** Who writes for ever is not waited for longer. */
const MAX_SETTLE_MS = 500;

/** Watches until it is disposed of. Between changes nothing runs, no timer either. */
export class FileChanges implements AsyncDisposable {
  readonly #takeUp: () => Promise<void>;
  readonly #watchers: Deno.FsWatcher[] = [];
  readonly #loops: Promise<void>[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #firstMs: number | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor({ directories, takeUp, onUnwatched }: FileChangesOptions) {
    this.#takeUp = takeUp;
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

  async #follow(watcher: Deno.FsWatcher): Promise<void> {
    for await (const { kind } of watcher) {
      // Comes when a writer closes, after its changes were told. Were reading told too, as inotify(7) can, there would be
      // no end to it.
      if (kind !== "access") this.#settle();
    }
  }

  #settle(): void {
    const nowMs = performance.now();
    this.#firstMs ??= nowMs;
    clearTimeout(this.#timer);
    const waitMs = Math.min(SETTLE_MS, Math.max(0, this.#firstMs + MAX_SETTLE_MS - nowMs));
    this.#timer = setTimeout(() => this.nudge(), waitMs);
  }

  /** Has the files taken up now; while they are, once more after that. */
  nudge(): void {
    clearTimeout(this.#timer);
    this.#firstMs = undefined;
    if (this.#closed) return;
    this.#again = true;
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      await this.#takeUp();
    }
    this.#running = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
    await Promise.all(this.#loops);
    await this.#running;
  }
}
