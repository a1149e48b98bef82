/**
 * Logs that the data directory cannot be written, such as on a full disk, or that it is gone. There is one line when this
 * begins, and one when it is over. The library tries each write again every few seconds, and reports each failure.
 */
import { errorCode } from "../base/error_code.ts";
import { errorMessage } from "../base/error_message.ts";
import { FileIdentity } from "../base/file_identity.ts";
import type { Logger } from "../base/logger.ts";

/** The time after which a failure is logged again, in milliseconds. A disk that is almost full may fail now and then. */
const SAME_MS = 600_000;

/** The errors of the system for a disk that cannot be written: errno(3). */
const CODES = new Set(["ENOSPC", "EDQUOT", "EROFS", "EIO"]);

/** The messages of SQLite, whose codes do not reach JavaScript. */
const SQLITE = /readonly|disk I\/O|is full/;

/** Options of `DiskTrouble`. */
export interface DiskTroubleOptions {
  /** A clock in milliseconds. */
  readonly now?: () => number;
  /** Called with true when the directory is gone, and with false when it is back. */
  readonly onGone?: (isGone: boolean) => void;
}

/** The trouble with the disk of a data directory. */
export class DiskTrouble {
  readonly #log: Logger;
  readonly #options: DiskTroubleOptions;
  #loggedMs = -Infinity;
  #isOpen = false;
  #identity: FileIdentity | undefined;
  #isGone = false;

  constructor(log: Logger, options: DiskTroubleOptions = {}) {
    this.#log = log;
    this.#options = options;
  }

  /** Watches whether the data directory is gone, by a file or a directory in it. Looks only after an error. */
  watch(path: string): void {
    this.#identity = new FileIdentity(path);
  }

  /** True when the directory was gone at the last error. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Takes an error. Returns false when it is none of the disk, and then does nothing. */
  report(error: unknown): boolean {
    if (errorCode(error) === "ENOENT" && this.#identity?.isThere === false) return this.#noteGone();
    if (!isOfDisk(error)) return false;
    const { now = () => performance.now() } = this.#options;
    if (now() - this.#loggedMs >= SAME_MS) {
      this.#loggedMs = now();
      this.#isOpen = true;
      this.#log.error(
        `Cannot write to the data directory: ${errorMessage(error)}; free space on its disk or repair the disk. ` +
          "Until then, ends of jobs stay in memory",
      );
    }
    return true;
  }

  #noteGone(): true {
    if (this.#isGone) return true;
    this.#isGone = true;
    this.#log.error(
      "The data directory was deleted or replaced: no job can be registered or started. Put the directory back, or stop " +
        "the jobs and the server",
    );
    this.#options.onGone?.(true);
    return true;
  }

  /** Takes a success. An open file can be written although its directory is gone. */
  written(): void {
    if (this.#isGone && this.#identity?.isThere === true) {
      this.#isGone = false;
      this.#log.info("The data directory is back");
      this.#options.onGone?.(false);
    }
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#log.info("The data directory can be written again");
  }
}

function isOfDisk(error: unknown): boolean {
  const code = errorCode(error);
  if (code === "ERR_SQLITE_ERROR") return SQLITE.test(errorMessage(error));
  return code !== undefined && CODES.has(code);
}
