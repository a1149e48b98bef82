/**
 * Separates the launcher's own messages from the job's output on standard error.
 *
 * The name of the launcher's shell (`$0`) is a secret of this launch. Everything before the secret and ">" is the
 * launcher's message about what failed. Only exec follows the ">". If exec fails, the shell prints its name and ":",
 * so the secret comes again. The program never learns the secret, so it cannot print either. If env(1) runs between the
 * shell and the program, it prints the path by which it was started, and that path encodes the secret.
 */

/** The longest message that is kept. The launcher prints one line; a tool may print more, but this is enough. */
const MAX_MESSAGE_BYTES = 4_096;

/**
 * The stage of a launch, as its standard error shows it.
 *
 * - `launching`: the launcher works; the bytes are its messages
 * - `opening`: only exec is left; the bytes may be the start of a message that exec failed
 * - `running`: the program runs; the bytes are the job's output
 * - `failed`: exec failed; the bytes are a message
 */
export type LaunchStage = "launching" | "opening" | "running" | "failed";

/** Takes the standard error of one launch, and passes on the job's part. */
export class StderrFilter {
  readonly #opening: Uint8Array;
  readonly #failurePrefixes: readonly Uint8Array[];
  readonly #onOpen: (() => void) | undefined;
  #stage: LaunchStage;
  #held: Uint8Array = new Uint8Array();

  /**
   * @param names the names with which a message about a failed exec begins, a colon after each
   * @param launcher the name of the launcher's shell, and what is called when only exec is left. Absent: only exec is left
   */
  constructor(names: readonly string[], launcher?: { readonly secret: string; readonly onOpen: () => void }) {
    this.#opening = encoder.encode(`${launcher?.secret}>`);
    this.#failurePrefixes = names.map((name) => encoder.encode(`${name}:`));
    this.#onOpen = launcher?.onOpen;
    this.#stage = launcher === undefined ? "opening" : "launching";
  }

  get stage(): LaunchStage {
    return this.#stage;
  }

  /** The launcher's message, after it failed. */
  get message(): string {
    return decoder.decode(this.#held);
  }

  /**
   * Takes bytes of standard error.
   *
   * @param chunk the bytes; not kept
   * @returns the job's part of them; undefined if there is none
   */
  pass(chunk: Uint8Array): Uint8Array | undefined {
    if (this.#stage === "running") return chunk;
    this.#held = joined(this.#held, chunk);
    if (this.#stage === "failed") {
      this.#held = this.#held.slice(0, MAX_MESSAGE_BYTES);
      return undefined;
    }
    if (this.#stage === "launching" && !this.#open()) return undefined;
    if (this.#failurePrefixes.some((prefix) => startsWith(this.#held, prefix))) {
      this.#stage = "failed";
      return undefined;
    }
    // So few bytes may still become a message. If nothing follows, `rest` returns them.
    const mayBecome = (prefix: Uint8Array) => this.#held.length < prefix.length && startsWith(prefix, this.#held);
    if (this.#failurePrefixes.some(mayBecome)) return undefined;
    this.#stage = "running";
    return this.#release();
  }

  /** Looks for the opening. Returns false if it has not come yet. */
  #open(): boolean {
    const at = indexOf(this.#held, this.#opening);
    if (at < 0) {
      // The last bytes may be the start of the opening.
      const excess = this.#held.length - MAX_MESSAGE_BYTES - this.#opening.length;
      if (excess > 0) this.#held = joined(this.#held.subarray(0, MAX_MESSAGE_BYTES), this.#held.slice(-64));
      return false;
    }
    this.#stage = "opening";
    this.#held = this.#held.slice(at + this.#opening.length);
    this.#onOpen?.();
    return true;
  }

  /** Returns the job's part of the bytes that are still held, at the end of standard error. Undefined if none. */
  rest(): Uint8Array | undefined {
    if (this.#stage !== "opening") return undefined;
    this.#stage = "running";
    return this.#release();
  }

  #release(): Uint8Array | undefined {
    const held = this.#held;
    this.#held = new Uint8Array();
    return held.length === 0 ? undefined : held;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, index) => bytes[index] === byte);
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  for (let at = 0; at + wanted.length <= bytes.length; at++) if (startsWith(bytes.subarray(at), wanted)) return at;
  return -1;
}
