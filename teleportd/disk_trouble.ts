/**
 * Logs that the data directory cannot be written, such as on a full disk: one line when it begins, and one when it is over.
 * The library tries each write again every few seconds, and reports each failure.
 */
import { errorCode } from "../base/error_code.ts";
import { errorMessage } from "../base/error_message.ts";
import type { Logger } from "../base/logger.ts";

/** The time after which a failure is logged again, in milliseconds. A disk that is almost full may fail now and then. */
const SAME_MS = 600_000;

/** The errors of the system for a disk that cannot be written: errno(3). */
const CODES = new Set(["ENOSPC", "EDQUOT", "EROFS", "EIO"]);

/** The messages of SQLite, whose codes do not reach JavaScript. */
const SQLITE = /readonly|disk I\/O|is full/;

/** The trouble with the disk of a data directory. */
export class DiskTrouble {
  readonly #log: Logger;
  readonly #now: () => number;
  #loggedMs = -Infinity;
  #isOpen = false;

  /** @param now a clock in milliseconds */
  constructor(log: Logger, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  /** Takes an error. Returns false when it is none of the disk, and then does nothing. */
  report(error: unknown): boolean {
    if (!isOfDisk(error)) return false;
    if (this.#now() - this.#loggedMs >= SAME_MS) {
      this.#loggedMs = this.#now();
      this.#isOpen = true;
      this.#log.error(
        `Cannot write to the data directory: ${errorMessage(error)}; free space on its disk or repair the disk. ` +
          "Until then, ends of jobs stay in memory",
      );
    }
    return true;
  }

  /** Takes a success. */
  written(): void {
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
