/**
 * Gives memory back to the system after a peak of calls. V8 collects only when it needs room, so an idle server would keep
 * the memory of the peak. Measured on Deno 2.9.6: 181 MiB with 4 MiB in use, and 51 MiB after a collection of 40 ms.
 */
import { openLibc } from "../base/libc.ts";
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** How memory is measured and given back. Tests replace it. */
export interface MemoryTools {
  /** Returns the bytes that V8 holds, used or not. */
  heldBytes(): number;
  /** Returns the processor time of this process, in milliseconds. */
  cpuMs(): number;
  /** Collects garbage and gives free memory back. */
  collect(): void;
}

/** The time from a call to the check of the memory, and between two checks. */
const CHECK_MS = 1_000;

/** The time between two collections of a calm server. The next peak may come at once. */
const CALM_MS = 10_000;

/** The share of a core from which a server counts as busy. */
const BUSY_SHARE = 0.5;

/** A calm server collects after this growth. With less there is little to give back. */
const CALM_GROWTH = { ratio: 1.15, bytes: 16 * 1024 * 1024 };

/**
 * A busy server collects after this growth. Each start of a job copies the page tables of the server: at 150 MB a start
 * takes 0.5 ms more than at 60 MB. A collection takes 20 to 60 ms.
 */
const BUSY_GROWTH = { ratio: 1.5, bytes: 32 * 1024 * 1024 };

/** Checks the memory once a second while calls and connections come and go. No timer runs while nothing happens. */
export class MemoryReturn implements Disposable {
  readonly #tools: MemoryTools;
  /** The bytes held after the last collection. */
  #baseBytes: number;
  #collectedMs = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isDisposed = false;

  constructor(tools: MemoryTools = systemTools()) {
    this.#tools = tools;
    this.#baseBytes = tools.heldBytes();
  }

  /** Notes a call, a connection or its end, which may leave garbage. Costs almost nothing. */
  active(): void {
    if (this.#timer !== undefined || this.#isDisposed) return;
    const [startMs, startCpuMs] = [performance.now(), this.#tools.cpuMs()];
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const share = (this.#tools.cpuMs() - startCpuMs) / (performance.now() - startMs);
      // Checks again until there is nothing to give back, also when nothing else happens.
      if (this.#check(share > BUSY_SHARE)) this.active();
    }, CHECK_MS);
  }

  /** Collects if it gives enough back. Returns whether to check again. */
  #check(isBusy: boolean): boolean {
    if (!this.#hasGrown(CALM_GROWTH)) return false;
    const isLong = performance.now() - this.#collectedMs >= CALM_MS;
    if (isBusy ? !this.#hasGrown(BUSY_GROWTH) : !isLong) return true;
    this.#tools.collect();
    this.#collectedMs = performance.now();
    this.#baseBytes = this.#tools.heldBytes();
    return false;
  }

  #hasGrown({ ratio, bytes }: { readonly ratio: number; readonly bytes: number }): boolean {
    return this.#tools.heldBytes() >= this.#baseBytes * ratio + bytes;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
  }
}

/** Returns the tools of this process. */
function systemTools(): MemoryTools {
  // Only the new context gets the function, so no other code can call it.
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  return {
    heldBytes: () => {
      const { heapTotal, external } = Deno.memoryUsage();
      return heapTotal + external;
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
