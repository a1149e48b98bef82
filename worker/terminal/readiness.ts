/**
 * Waits until descriptors can be read or written: one thread in poll(2) for all terminals. An idle terminal costs no
 * time and no thread of its own. poll(2) takes longer with each descriptor, so their number is bounded.
 */
import { setImmediate } from "node:timers";
import { CLOEXEC, NONBLOCK, POLLFD_BYTES, POLLIN, POLLOUT, type TerminalCalls } from "./terminal_calls.ts";

/** One wait. */
interface Wait {
  readonly descriptor: number;
  readonly events: number;
  readonly resolve: (isReady: boolean) => void;
}

/** The waits for many descriptors. */
export class Readiness {
  readonly #calls: TerminalCalls;
  readonly #waker: number;
  readonly #waits = new Set<Wait>();
  #running: Promise<void> | undefined;
  /** True while the thread waits. */
  #isPolling = false;

  constructor(calls: TerminalCalls) {
    this.#calls = calls;
    this.#waker = calls.check("make an event", calls.symbols.eventfd(0, NONBLOCK | CLOEXEC));
  }

  /**
   * Resolves with true when a descriptor can be read or written, or is at its end; with false after `cancel`.
   *
   * @param action only one wait for each descriptor and action may run
   */
  wait(descriptor: number, action: "read" | "write"): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waits.add({ descriptor, events: action === "read" ? POLLIN : POLLOUT, resolve });
    if (this.#running === undefined) this.#running = this.#run();
    else this.#wake();
    return promise;
  }

  /** Ends the waits for a descriptor, which may be closed then. */
  cancel(descriptor: number): void {
    for (const wait of this.#waits) {
      if (wait.descriptor === descriptor) this.#end(wait, false);
    }
    this.#wake();
  }

  /** Ends all waits. */
  async close(): Promise<void> {
    for (const wait of this.#waits) this.#end(wait, false);
    this.#wake();
    await this.#running;
    this.#calls.symbols.close(this.#waker);
  }

  #end(wait: Wait, isReady: boolean): void {
    this.#waits.delete(wait);
    wait.resolve(isReady);
  }

  #wake(): void {
    if (this.#isPolling) this.#calls.symbols.eventfd_write(this.#waker, 1n);
  }

  async #run(): Promise<void> {
    while (this.#waits.size > 0) {
      await this.#poll();
      // Usually the same descriptors wait again in this turn. The next poll(2) then begins with them.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#running = undefined;
  }

  async #poll(): Promise<void> {
    const waits = [...this.#waits];
    // Another thread writes here. A buffer of 64 bytes or more does not move.
    const polled = new DataView(new ArrayBuffer(Math.max(64, (waits.length + 1) * POLLFD_BYTES)));
    polled.setInt32(0, this.#waker, true);
    polled.setInt16(4, POLLIN, true);
    for (const [index, { descriptor, events }] of waits.entries()) {
      polled.setInt32((index + 1) * POLLFD_BYTES, descriptor, true);
      polled.setInt16((index + 1) * POLLFD_BYTES + 4, events, true);
    }
    const { poll, eventfd_read } = this.#calls.symbols;
    this.#isPolling = true;
    await poll(new Uint8Array(polled.buffer), BigInt(waits.length + 1), -1);
    this.#isPolling = false;
    if (polled.getInt16(6, true) !== 0) eventfd_read(this.#waker, new Uint8Array(8));
    for (const [index, wait] of waits.entries()) {
      const isReady = polled.getInt16((index + 1) * POLLFD_BYTES + 6, true) !== 0;
      // A wait that was cancelled is not in the set, and its descriptor may be another one's by now.
      if (isReady && this.#waits.has(wait)) this.#end(wait, true);
    }
  }
}
