/**
 * A pseudo terminal, pty(7): the master's side, at which a person would sit. The job opens the other side by its path.
 *
 * The descriptors are never inherited. While the terminal is open, this process holds the job's side open too. So the
 * output has no end between two programs of the job, and its end is certain after `hangUp`.
 */
import { constants } from "node:os";
import { asError } from "../../base/as_error.ts";
import { errorCode } from "../../base/error_code.ts";
import { HostExhaustedError } from "../errors.ts";
import { Readiness } from "./readiness.ts";
import type { TerminalSize } from "./size.ts";
import { NONBLOCK, TerminalCallError, TerminalCalls } from "./terminal_calls.ts";

/** The device that makes terminals. */
const MULTIPLEXER = "/dev/ptmx";

/**
 * The most terminals of a process. Each takes two descriptors of 1,024, the usual limit, and a place in each poll(2). The
 * kernel has 4,096 for all users of the machine, logins included: /proc/sys/kernel/pty/max.
 */
const MAX_TERMINALS = 256;

/** The library and the thread that all terminals share. They end with the last terminal. */
interface Shared {
  readonly calls: TerminalCalls;
  readonly readiness: Readiness;
  terminals: number;
}

let shared: Shared | undefined;

/** Returns why this process can open no terminals. Undefined: it can. */
export function terminalRefusal(): string | undefined {
  try {
    if (!Deno.statSync(MULTIPLEXER).isCharDevice) return `${MULTIPLEXER} is not a device`;
    using _calls = new TerminalCalls();
    return undefined;
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? `the server's system has no ${MULTIPLEXER}` : asError(error).message;
  }
}

/** A pseudo terminal. */
export class PseudoTerminal {
  /** The path of the job's side, such as `/dev/pts/3`. */
  readonly path: string;
  /** All that the job writes. It is read only as fast as the reader reads. It ends after `hangUp`. */
  readonly output: ReadableStream<Uint8Array>;
  /** The keys. A write waits while the job reads nothing. Closing it sends the character that ends the input. */
  readonly input: WritableStream<Uint8Array>;
  readonly #shared: Shared;
  readonly #master: number;
  #slave: number | undefined;
  #lastByte: number | undefined;
  #closed: Promise<void> | undefined;

  /**
   * Opens a terminal.
   *
   * @throws {HostExhaustedError} when there is none left
   * @throws {TerminalCallError} when the system refuses
   */
  constructor(size: TerminalSize) {
    if (shared !== undefined && shared.terminals >= MAX_TERMINALS) {
      throw new HostExhaustedError(`Cannot open a terminal: ${MAX_TERMINALS} are open, the limit: try again later`);
    }
    this.#shared = shared ??= openShared();
    this.#shared.terminals += 1;
    const { calls } = this.#shared;
    let master: number | undefined;
    try {
      this.#master = master = calls.open(MULTIPLEXER, NONBLOCK);
      this.path = `/dev/pts/${calls.slaveOf(master)}`;
      calls.setUtf8(master);
      calls.setSize(master, size.columns, size.rows);
      this.#slave = calls.open(this.path);
    } catch (error) {
      if (master !== undefined) calls.symbols.close(master);
      void this.#release();
      // ptmx(4) reports ENOSPC when all terminals of the machine are in use.
      if (errorCode(error) !== "ENOSPC") throw error;
      throw new HostExhaustedError("Cannot open a terminal: all of the server's system are in use: try again later");
    }
    this.output = this.#openOutput();
    this.input = this.#openInput();
  }

  /** Gives the job's side to a user, as login(1) does: mode 0620 and the group `tty`, where the system has it. */
  giveTo(uid: number, ttyGroup: number | undefined): void {
    Deno.chownSync(this.path, uid, ttyGroup ?? null);
    Deno.chmodSync(this.path, ttyGroup === undefined ? 0o600 : 0o620);
  }

  /** Sets the size. If it has changed, the foreground process group gets SIGWINCH. */
  resize({ columns, rows }: TerminalSize): void {
    if (this.#closed === undefined) this.#shared.calls.setSize(this.#master, columns, rows);
  }

  /** Closes the job's side of this process. The output ends when no process of the job has it open either. */
  hangUp(): void {
    if (this.#slave !== undefined) this.#shared.calls.symbols.close(this.#slave);
    this.#slave = undefined;
  }

  /** Closes the terminal. Processes that still have it open get SIGHUP. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    this.hangUp();
    const { calls, readiness } = this.#shared;
    readiness.cancel(this.#master);
    calls.symbols.close(this.#master);
    await this.#release();
  }

  async #release(): Promise<void> {
    this.#shared.terminals -= 1;
    if (this.#shared.terminals > 0) return;
    if (shared === this.#shared) shared = undefined;
    await this.#shared.readiness.close();
    this.#shared.calls[Symbol.dispose]();
  }

  #openOutput(): ReadableStream<Uint8Array> {
    return new ReadableStream({
      type: "bytes",
      pull: async (controller) => {
        while (this.#closed === undefined && await this.#shared.readiness.wait(this.#master, "read")) {
          const request = controller.byobRequest;
          if (request === null) return;
          const { buffer, byteOffset, byteLength } = request.view as Uint8Array<ArrayBuffer>;
          const count = this.#read(new Uint8Array(buffer, byteOffset, byteLength));
          if (count === undefined) break;
          if (count > 0) return request.respond(count);
        }
        controller.close();
        controller.byobRequest?.respond(0);
      },
      cancel: () => this.#shared.readiness.cancel(this.#master),
    }, { highWaterMark: 0 });
  }

  /** Reads what is there, as far as it fits. Undefined at the end. */
  #read(buffer: Uint8Array<ArrayBuffer>): number | undefined {
    const { calls } = this.#shared;
    let length = 0;
    while (length < buffer.length) {
      const rest = buffer.subarray(length);
      const count = Number(calls.symbols.read(this.#master, rest, BigInt(rest.length)));
      if (count <= 0) {
        if (length > 0 || (count < 0 && isTemporary(calls.errno))) break;
        return undefined; // EIO: no process has the job's side open.
      }
      length += count;
    }
    return length;
  }

  #openInput(): WritableStream<Uint8Array> {
    return new WritableStream({
      write: async (chunk) => await this.#write(chunk),
      close: async () => {
        const end = this.#shared.calls.endCharacterOf(this.#master);
        if (end === undefined) return;
        // Within a line, the first character ends only the line.
        const isInLine = end.gathersLines && this.#lastByte !== undefined && this.#lastByte !== NEWLINE;
        await this.#write(new Uint8Array(isInLine ? 2 : 1).fill(end.character));
      },
    });
  }

  async #write(chunk: Uint8Array): Promise<void> {
    const { calls, readiness } = this.#shared;
    // The chunk may be in shared memory for its type, which the FFI does not take.
    const bytes = new Uint8Array(chunk);
    for (let at = 0; at < bytes.length;) {
      if (this.#closed !== undefined) throw new Error("The terminal is closed");
      const rest = bytes.subarray(at);
      const count = Number(calls.symbols.write(this.#master, rest, BigInt(rest.length)));
      if (count > 0) at += count;
      else if (count < 0 && !isTemporary(calls.errno)) {
        throw new TerminalCallError("write to the terminal", calls.errno);
      } else await readiness.wait(this.#master, "write");
    }
    this.#lastByte = bytes.at(-1) ?? this.#lastByte;
  }
}

const NEWLINE = 10;

function isTemporary(errno: number): boolean {
  return errno === constants.errno.EAGAIN || errno === constants.errno.EINTR;
}

function openShared(): Shared {
  const calls = new TerminalCalls();
  return { calls, readiness: new Readiness(calls), terminals: 0 };
}
