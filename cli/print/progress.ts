/** A line on the terminal that shows how far a copy is. */
import type { Print } from "./print.ts";

/** The time between two updates, in milliseconds. */
const UPDATE_MS = 100;

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** Formats a number of bytes for people, such as `3.5 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1_024 && unit < UNITS.length - 1; unit++) value /= 1_024;
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${UNITS[unit]}`;
}

/** Options of {@linkcode Progress}. */
export interface ProgressOptions {
  readonly print: Pick<Print, "bytes">;
  readonly nowMs: () => number;
  /** False prints nothing. */
  readonly isShown: boolean;
  readonly name: string;
}

/** The line. It is rewritten in place. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #beganMs: number;
  #shownMs = -Infinity;
  #bytes = 0;
  /** About the number of bytes in all. 0: unknown. */
  total = 0;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#beganMs = options.nowMs();
  }

  /** Counts bytes, and rewrites the line now and then. */
  async add(bytes: number): Promise<void> {
    this.#bytes += bytes;
    const now = this.#options.nowMs();
    if (!this.#options.isShown || now - this.#shownMs < UPDATE_MS) return;
    this.#shownMs = now;
    await this.#write(`\r\x1b[K${this.#text(now)}`);
  }

  /** Ends the line. */
  async end(isWhole: boolean): Promise<void> {
    if (!this.#options.isShown) return;
    await this.#write(isWhole ? `\r\x1b[K${this.#text(this.#options.nowMs())}\n` : "\r\x1b[K");
  }

  #text(now: number): string {
    const seconds = Math.max(0.001, (now - this.#beganMs) / 1_000);
    const percent = Math.min(100, Math.floor(100 * this.#bytes / this.total));
    const share = this.total > 0 ? ` of ${formatBytes(Math.max(this.total, this.#bytes))} (${percent}%)` : "";
    return `${this.#options.name}: ${formatBytes(this.#bytes)}${share}, ${formatBytes(this.#bytes / seconds)}/s`;
  }

  async #write(text: string): Promise<void> {
    // Without the line the copy works as well.
    await this.#options.print.bytes("stderr", new TextEncoder().encode(text)).catch(() => {});
  }
}
