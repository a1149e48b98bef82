/** The keys that are typed. They are read at once, so that the keys that leave work while nobody takes the others. */
import type { InputFile } from "../io.ts";
import type { DetachFilter } from "./detach_filter.ts";

/** The size of one read, in bytes. */
const READ_BYTES = 16_384;

/** The most bytes that wait for the job. More are read when it has taken some: a paste, not typing. */
const MAX_WAITING_BYTES = 1_048_576;

/** A file of keys for one reader at a time. A lease that has ended takes no key, also when a read is pending. */
export type KeyLease = InputFile & Disposable;

/** Reads keys from a file to its end. */
export class KeyInput {
  readonly #file: InputFile;
  readonly #filter: DetachFilter | undefined;
  readonly #onLeave: () => void;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isAtEnd = false;
  #error: unknown;
  /** Wakes the reader, which waits for keys. */
  #wakeReader = () => {};
  /** Wakes the reading of the file, which waits for room. */
  #wakeReading = () => {};

  /**
   * Starts to read.
   *
   * @param filter finds the keys that leave. Undefined: no keys leave
   * @param onLeave called when they were typed
   */
  constructor(file: InputFile, filter: DetachFilter | undefined, onLeave: () => void) {
    this.#file = file;
    this.#filter = filter;
    this.#onLeave = onLeave;
    void this.#readAll();
  }

  /** True when no more keys come. */
  get isOver(): boolean {
    return this.#isAtEnd && this.#waitingBytes === 0;
  }

  /** Resolves when there are keys, at the end, or when the signal aborts. */
  async whenTyped(signal: AbortSignal): Promise<void> {
    const stop = () => this.#wakeReader();
    signal.addEventListener("abort", stop, { once: true });
    while (this.#waitingBytes === 0 && !this.#isAtEnd && !signal.aborted) {
      await new Promise<void>((wake) => this.#wakeReader = wake);
    }
    signal.removeEventListener("abort", stop);
  }

  /** Forgets the keys that nobody has taken. */
  discard(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#wakeReading();
  }

  /** Lends the keys to a reader. */
  lease(): KeyLease {
    let isOver = false;
    return {
      read: async (buffer) => {
        while (!isOver && this.#waitingBytes === 0 && !this.#isAtEnd) {
          await new Promise<void>((wake) => this.#wakeReader = wake);
        }
        if (isOver) return null;
        if (this.#waitingBytes > 0) return this.#take(buffer);
        if (this.#error !== undefined) throw this.#error;
        return null;
      },
      [Symbol.dispose]: () => {
        isOver = true;
        this.#wakeReader();
      },
    };
  }

  #take(buffer: Uint8Array): number {
    let count = 0;
    while (this.#waiting[0] !== undefined && count < buffer.length) {
      const taken = this.#waiting[0].subarray(0, buffer.length - count);
      buffer.set(taken, count);
      count += taken.length;
      if (taken.length === this.#waiting[0].length) this.#waiting.shift();
      else this.#waiting[0] = this.#waiting[0].subarray(taken.length);
    }
    this.#waitingBytes -= count;
    this.#wakeReading();
    return count;
  }

  async #readAll(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    let isLeft = false;
    try {
      while (true) {
        while (this.#waitingBytes >= MAX_WAITING_BYTES) await new Promise<void>((wake) => this.#wakeReading = wake);
        const count = await this.#file.read(buffer);
        if (count === null) break;
        const read = buffer.slice(0, count);
        const { data, isLeaving } = this.#filter?.filter(read) ?? { data: read, isLeaving: false };
        this.#add(data);
        if (!isLeaving) continue;
        isLeft = true;
        break;
      }
    } catch (error) {
      this.#error = error;
    }
    this.#add(this.#filter?.end() ?? new Uint8Array());
    this.#isAtEnd = true;
    this.#wakeReader();
    if (isLeft) this.#onLeave();
  }

  #add(data: Uint8Array): void {
    if (data.length === 0) return;
    this.#waiting.push(data);
    this.#waitingBytes += data.length;
    this.#wakeReader();
  }
}
