/**
 * Gives memory back to the system: after the start, after a peak of calls, and at rest. V8 collects only when it needs room,
 * so an idle process would keep the garbage of its start, and the memory of the peak. Measured on Deno 2.9.6 after a peak:
 * 181 MiB with 4 MiB in use, and 51 MiB after a collection of 40 ms. After a start: 16 of 65 MB.
 *
 * V8 does not know what the C library keeps of freed memory. After a stream to 20 watchers that read nothing this was 35
 * MB, and nothing in V8 had grown. So the memory that the system counts decides too.
 */
import { openLibc } from "../base/libc.ts";
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** The memory of a process, in bytes. */
export interface HeldMemory {
  readonly held: number;
  readonly resident: number;
}

/** How memory is measured and given back. Tests replace it. */
export interface MemoryTools {
  /** Returns the bytes that V8 holds, used or not, and those that the process has in memory. */
  memory(): HeldMemory;
  /** Returns the processor time of this process, in milliseconds. */
  cpuMs(): number;
  /** Collects garbage and gives free memory back. */
  collect(): void;
}

/** The time from a call to the check of the memory, and between two checks. */
const CHECK_MS = 1_000;

/**
 * The share of a core with which a calm server collects. So the pause between two collections depends on what one costs:
 * about a second. In a fixed pause of 10 seconds a job writes two gigabytes.
 */
const CALM_SHARE = 0.05;

/** The time without any call after which a process is at rest, in milliseconds. */
const REST_MS = 10_000;

/** The growth after which a process collects: of what V8 holds, or of what the process has in memory. */
interface Growth {
  readonly ratio: number;
  readonly bytes: number;
  readonly residentBytes: number;
}

const MEBIBYTE = 1024 * 1024;

/** A process at rest collects after this growth. A collection then delays nobody. New code takes 5 MiB in memory. */
const REST_GROWTH: Growth = { ratio: 1, bytes: 2 * MEBIBYTE, residentBytes: 8 * MEBIBYTE };

/** The share of a core from which a server counts as busy. */
const BUSY_SHARE = 0.5;

/** A calm server collects after this growth. With less there is little to give back. */
const CALM_GROWTH: Growth = { ratio: 1.15, bytes: 16 * MEBIBYTE, residentBytes: 16 * MEBIBYTE };

/**
 * A busy server collects after this growth. Each start of a job copies the page tables of the server: at 150 MB a start
 * takes 0.5 ms more than at 60 MB. A collection takes 20 to 60 ms.
 */
const BUSY_GROWTH: Growth = { ratio: 1.5, bytes: 32 * MEBIBYTE, residentBytes: 64 * MEBIBYTE };

/**
 * Checks the memory once a second while calls and connections come and go, and once at rest. The start counts as activity.
 * No timer runs at rest.
 */
export class MemoryReturn implements Disposable {
  readonly #tools: MemoryTools;
  /** The memory after the last collection. Before the first one, the memory at the start. */
  #before: HeldMemory;
  #hasCollected = false;
  /** When a calm server may collect again. */
  #nextCalmMs = 0;
  #activeMs = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #restTimer: ReturnType<typeof setTimeout> | undefined;
  #isDisposed = false;

  constructor(tools: MemoryTools = systemTools()) {
    this.#tools = tools;
    this.#before = tools.memory();
    this.#waitForRest(REST_MS);
  }

  /** Notes a call, a connection or its end, which may leave garbage. Costs almost nothing. */
  active(): void {
    if (this.#isDisposed) return;
    this.#activeMs = performance.now();
    if (this.#restTimer === undefined) this.#waitForRest(REST_MS);
    if (this.#timer === undefined) this.#checkLater();
  }

  #checkLater(): void {
    const [startMs, startCpuMs] = [performance.now(), this.#tools.cpuMs()];
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const share = (this.#tools.cpuMs() - startCpuMs) / (performance.now() - startMs);
      // Checks again until there is nothing to give back, also when nothing else happens.
      if (this.#check(share > BUSY_SHARE)) this.#checkLater();
    }, CHECK_MS);
  }

  /** Collects if it gives enough back. Returns whether to check again. */
  #check(isBusy: boolean): boolean {
    if (!this.#hasGrown(CALM_GROWTH)) return false;
    if (isBusy ? !this.#hasGrown(BUSY_GROWTH) : performance.now() < this.#nextCalmMs) return true;
    this.#collect();
    return false;
  }

  #waitForRest(ms: number): void {
    this.#restTimer = setTimeout(() => {
      this.#restTimer = undefined;
      const leftMs = REST_MS - (performance.now() - this.#activeMs);
      if (leftMs > 0) this.#waitForRest(leftMs);
      else if (!this.#hasCollected || this.#hasGrown(REST_GROWTH)) this.#collect();
    }, ms);
  }

  #collect(): void {
    const startCpuMs = this.#tools.cpuMs();
    this.#tools.collect();
    this.#nextCalmMs = performance.now() + (this.#tools.cpuMs() - startCpuMs) / CALM_SHARE;
    this.#before = this.#tools.memory();
    this.#hasCollected = true;
  }

  #hasGrown({ ratio, bytes, residentBytes }: Growth): boolean {
    const { held, resident } = this.#tools.memory();
    return held >= this.#before.held * ratio + bytes || resident >= this.#before.resident + residentBytes;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#restTimer);
  }
}

/** Returns the tools of this process. */
function systemTools(): MemoryTools {
  // Only the new context gets the function, so no other code can call it.
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  return {
    memory: () => {
      const { heapTotal, external, rss } = Deno.memoryUsage();
      return { held: heapTotal + external, resident: rss };
    },
    cpuMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
    collect: () => {
      collectGarbage();
      trim();
    },
  };
}

/** Gives free memory of the C library back by malloc_trim(3). The C library musl does not have it. */
function trim(): void {
  try {
    const library = openLibc({ malloc_trim: { parameters: ["usize"], result: "i32" } });
    library.symbols.malloc_trim(0n);
    library.close();
  } catch {
    // Another C library.
  }
}
