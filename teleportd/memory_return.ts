/**
 * Gives memory back to the system after a crowd has left. V8 collects when it needs room, so a server that is idle again
 * would keep what the crowd needed. Measured on Deno 2.9.6: 181 MiB with 4 MiB in use, 51 MiB after a collection of 40 ms.
 */
import { openLibc } from "../base/libc.ts";
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** How memory is measured and given back; a test has its own. */
export interface MemoryTools {
  /** Bytes that V8 holds, used or not. */
  heldBytes(): number;
  /** Processor time of this process, in milliseconds. */
  cpuMs(): number;
  /** Collects garbage, and gives free memory back. */
  collect(): void;
}

/** Between something that happened and the look at memory, and between two looks. */
const LOOK_MS = 1_000;

/** Between two collections of a calm server. The next crowd may come at once. */
const CALM_MS = 10_000;

/** A server that uses more of a core than this is busy. */
const BUSY_SHARE = 0.5;

/** A calm server collects when this much came to be held: with less there is little to give back. */
const CALM_GROWTH = { ratio: 1.15, bytes: 16 * 1024 * 1024 };

/**
 * A busy one collects when this much came to be held. Each start of a job copies the page tables of the server, so garbage
 * costs time there: at 150 MB a start takes 0.5 ms more than at 60 MB. A collection takes 20 to 60 ms.
 */
const BUSY_GROWTH = { ratio: 1.5, bytes: 32 * 1024 * 1024 };

/** Looks at memory once a second while calls and connections come and go. While nothing happens there is no timer. */
export class MemoryReturn implements Disposable {
  readonly #tools: MemoryTools;
  /** Held after the last collection. */
  #baseBytes: number;
  #collectedMs = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isDisposed = false;

  constructor(tools: MemoryTools = systemTools()) {
    this.#tools = tools;
    this.#baseBytes = tools.heldBytes();
  }

  /** To be called when a call, a connection or its end may leave garbage. Costs next to nothing. */
  active(): void {
    if (this.#timer !== undefined || this.#isDisposed) return;
    const [startMs, startCpuMs] = [performance.now(), this.#tools.cpuMs()];
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const share = (this.#tools.cpuMs() - startCpuMs) / (performance.now() - startMs);
      // Looks again until there is nothing to give back, also when nothing else happens.
      if (this.#look(share > BUSY_SHARE)) this.active();
    }, LOOK_MS);
  }

  /** Collects where it is worth it. Returns whether there is more to give back later. */
  #look(isBusy: boolean): boolean {
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

/** The tools of this process. */
function systemTools(): MemoryTools {
  // Only a new context gets the function, so no other code can call it.
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

/** Gives free memory of the C library back: malloc_trim(3), which musl does not have. */
function trim(): void {
  try {
    const library = openLibc({ malloc_trim: { parameters: ["usize"], result: "i32" } });
    library.symbols.malloc_trim(0n);
    library.close();
  } catch {
    // Another C library.
  }
}
