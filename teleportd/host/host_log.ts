/** The log file of a job host. It has a bounded size: the older half moves to a second file. */
import type { LogFile } from "../log/line_writer.ts";

/** The size in bytes at which a new file begins. Two files are kept. */
const MAX_BYTES = 1_048_576;

/** Writes to the file `host.log`, and keeps the previous one as `host.log.1`. */
export class HostLogFile implements LogFile, Disposable {
  readonly path: string;
  readonly #onOpen: (path: string) => void;
  readonly #maxBytes: number;
  #file: Deno.FsFile;
  #bytes: number;

  /**
   * @param onOpen called with the path of each new file, so that other writers can change to it
   * @throws {Error} when the file cannot be opened
   */
  constructor(directory: string, onOpen: (path: string) => void = () => {}, maxBytes: number = MAX_BYTES) {
    this.path = `${directory}/host.log`;
    this.#onOpen = onOpen;
    this.#maxBytes = maxBytes;
    [this.#file, this.#bytes] = this.#open();
  }

  #open(): [Deno.FsFile, number] {
    const file = Deno.openSync(this.path, { create: true, append: true, mode: 0o600 });
    return [file, file.statSync().size];
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (this.#bytes >= this.#maxBytes) this.#begin();
    const written = await this.#file.write(bytes);
    this.#bytes += written;
    return written;
  }

  /** Begins a new file. After a failure, such as on a full disk, the next call continues where it failed. */
  #begin(): void {
    try {
      Deno.renameSync(this.path, `${this.path}.1`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    const [file, bytes] = this.#open();
    this.#file.close();
    [this.#file, this.#bytes] = [file, bytes];
    this.#onOpen(this.path);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}
