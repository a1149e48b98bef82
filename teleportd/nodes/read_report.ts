/** Reads the standard error of a node host, where its spool is a directory that this machine has too. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { AtOnce } from "../../base/at_once.ts";
import { deadline } from "../../base/deadline.ts";
import { MAX_REPORT_BYTES } from "./node_config.ts";

/** The time for a file, in milliseconds. The end of a job waits for it. */
const READ_MS = 5_000;
/** The most files that are read at once. A network file system that hangs keeps a thread of this program for each. */
const MAX_READS = 4;
/** The most reads that wait or run. While a file system hangs, a report is worth no more memory. */
const MAX_WAITING = 1_000;

/** Reads reports in bounded time. */
export class Reports {
  readonly #reads = new AtOnce(MAX_READS);
  readonly #read: (path: string) => Promise<string>;
  #waiting = 0;

  /** @param read reads one file */
  constructor(read: (path: string) => Promise<string> = readReport) {
    this.#read = read;
  }

  /** Returns the end of a file. Empty when this machine does not have it, or cannot read it in time. */
  async read(path: string): Promise<string> {
    if (this.#waiting >= MAX_WAITING) return "";
    this.#waiting++;
    let isOverdue = false;
    // A read whose caller has given up is left out when its turn comes.
    const read = this.#reads.run(async () => isOverdue ? "" : await this.#read(path)).finally(() => this.#waiting--);
    const text = await deadline(read, READ_MS);
    isOverdue = true;
    return text ?? "";
  }
}

/**
 * Returns the end of the file. Empty when this machine does not have it. The directory may be one in which everybody can
 * make files, so only a file of this user counts, and no link.
 */
export async function readReport(path: string): Promise<string> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (!stat.isFile() || stat.uid !== Deno.uid()) return "";
    const bytes = new Uint8Array(MAX_REPORT_BYTES);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, Math.max(0, stat.size - bytes.length));
    return new TextDecoder().decode(bytes.subarray(0, bytesRead));
  } catch {
    return "";
  }
}
