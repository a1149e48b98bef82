/** A fake machine and a fake server for the tests of the command line: files in memory, signals and scripted calls. */
import {
  type Connection,
  FORWARDED_SIGNALS,
  type ForwardedSignal,
  type InputFile,
  type Io,
  type LocalProgram,
  type OutputFile,
  type Terminal,
  type TerminalSize,
} from "../../cli/io.ts";
import { startProgram } from "../../cli/local_program.ts";
import { main } from "../../cli/main.ts";
import type { JobWorkerClient, Sent } from "../../proto/service.ts";
import type { ListRequest, ListResponse } from "../../proto/teleport/v1/job_worker.ts";
import { jobStatus } from "./cli_messages.ts";

/** A file in memory. */
export class MemoryFile implements OutputFile {
  readonly chunks: Uint8Array[] = [];
  terminal = false;
  /** The error of every write, when set. */
  failure: Error | undefined;
  /** The most bytes of each write, because a pipe may take only a part of the data. */
  maxBytesAWrite = Infinity;

  write(data: Uint8Array): Promise<number> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const taken = data.slice(0, this.maxBytesAWrite);
    this.chunks.push(taken);
    return Promise.resolve(taken.length);
  }

  isTerminal(): boolean {
    return this.terminal;
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.chunks.flatMap((chunk) => [...chunk]));
  }

  get text(): string {
    return new TextDecoder().decode(this.bytes);
  }
}

/** An input whose bytes come when a test sends them. */
export class FakeStdin implements InputFile {
  readonly #chunks: (Uint8Array | Error | null)[] = [];
  #more = Promise.withResolvers<void>();
  /** The number of reads so far. */
  reads = 0;

  /** Sends bytes, an error, or null for the end. */
  send(...chunks: (Uint8Array | string | Error | null)[]): void {
    this.#chunks.push(...chunks.map((chunk) => typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk));
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    this.reads += 1;
    while (this.#chunks.length === 0) await this.#more.promise;
    const chunk = this.#chunks[0];
    if (chunk instanceof Error) throw chunk;
    if (chunk === null || chunk === undefined) return null;
    this.#chunks.shift();
    const taken = chunk.subarray(0, buffer.length);
    if (taken.length < chunk.length) this.#chunks.unshift(chunk.subarray(taken.length));
    buffer.set(taken);
    return taken.length;
  }
}

/** A terminal whose size a test sets. Its modes are recorded. */
export class FakeTerminal implements Terminal {
  terminal = false;
  kind: string | undefined;
  columns = 80;
  rows = 24;
  /** Each switch to raw mode and back. */
  readonly modes: boolean[] = [];
  readonly #listeners = { resize: new Set<() => void>(), continue: new Set<() => void>() };

  isTerminal(): boolean {
    return this.terminal;
  }

  setRaw(isRaw: boolean): void {
    this.modes.push(isRaw);
  }

  size(): TerminalSize {
    return { columns: this.columns, rows: this.rows };
  }

  onResize(listener: () => void): Disposable {
    return listening(this.#listeners.resize, listener);
  }

  onContinue(listener: () => void): Disposable {
    return listening(this.#listeners.continue, listener);
  }

  onCrash(): Disposable {
    return { [Symbol.dispose]: () => {} };
  }

  /** Changes the size, as the window of a terminal does. */
  resize(columns: number, rows: number): void {
    Object.assign(this, { columns, rows });
    for (const listener of this.#listeners.resize) listener();
  }

  /** Acts as if this process continued after a suspension. */
  continue(): void {
    for (const listener of this.#listeners.continue) listener();
  }

  /** The number of listeners. */
  get listening(): number {
    return this.#listeners.resize.size + this.#listeners.continue.size;
  }
}

function listening(listeners: Set<() => void>, listener: () => void): Disposable {
  listeners.add(listener);
  return { [Symbol.dispose]: () => listeners.delete(listener) };
}

/** A machine without real signals and without a network. */
export class FakeIo implements Io {
  readonly stdin = new FakeStdin();
  readonly stdout = new MemoryFile();
  readonly stderr = new MemoryFile();
  readonly terminal = new FakeTerminal();
  readonly listeners = new Map<ForwardedSignal, Set<() => void>>(
    FORWARDED_SIGNALS.map((signal) => [signal, new Set()]),
  );
  #nowMs = 0;
  /** The options of each connection. */
  readonly connections: Parameters<Io["connect"]>[0][] = [];
  closed = 0;

  constructor(readonly calls: Partial<JobWorkerClient> = {}) {}

  onSignal(signal: ForwardedSignal, listener: () => void): Disposable {
    this.listeners.get(signal)?.add(listener);
    return { [Symbol.dispose]: () => this.listeners.get(signal)?.delete(listener) };
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** Acts as if this process received the signal, this long after the one before. A second later is not a repeat. */
  raise(signal: ForwardedSignal, afterMs = 1_000): void {
    this.#nowMs += afterMs;
    for (const listener of this.listeners.get(signal) ?? []) listener();
  }

  /** The number of signal listeners. */
  get listening(): number {
    return [...this.listeners.values()].reduce((sum, set) => sum + set.size, 0);
  }

  /** Starts a real program. */
  startProgram(command: string, args: readonly string[]): LocalProgram {
    return startProgram(command, args);
  }

  /** The commands that were run with sh(1), with their variables. */
  readonly shellCommands: [string, Readonly<Record<string, string>>][] = [];

  runShell(command: string, variables: Readonly<Record<string, string>>): Promise<number> {
    this.shellCommands.push([command, variables]);
    return Promise.resolve(0);
  }

  connect(options: Parameters<Io["connect"]>[0]): Promise<Connection> {
    this.connections.push(options);
    return Promise.resolve({
      calls: unexpectedUnless(this.calls),
      [Symbol.asyncDispose]: () => {
        this.closed += 1;
        return Promise.resolve();
      },
    });
  }
}

/** Lists one job with the requested name or beginning of an id, for tests whose jobs have short ids. */
function listAny({ name = "", id_prefix: id = name }: Sent<ListRequest>): Promise<ListResponse> {
  return Promise.resolve({ jobs: [jobStatus({ id: id || name, name })], next_page_token: "" });
}

/** Gives the scripted calls. Any other call fails the test. */
function unexpectedUnless(calls: Partial<JobWorkerClient>): JobWorkerClient {
  return new Proxy(calls, {
    get(target, name) {
      const call = Reflect.get(target, name) ?? (name === "List" ? listAny : undefined);
      // A promise looks whether what it resolves to is a promise.
      if (call === undefined && name !== "then") throw new Error(`Unexpected call of ${String(name)}`);
      return call;
    },
  }) as JobWorkerClient;
}

/** A failed call as `rpc/` rejects with it. */
export class FakeCallError extends Error {
  constructor(readonly status: string, message = `Refused with ${status}`) {
    super(message);
  }
}

/** Rejects as a call does when its signal aborts. It never settles otherwise. */
export function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(new FakeCallError("CANCELLED"));
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Runs the command line on the fake machine, with a readable certificate directory. */
export async function teleport(io: FakeIo, ...args: string[]): Promise<number> {
  const dir = await Deno.makeTempDir({ prefix: "teleport_cli_" });
  try {
    await Promise.all(["ca.crt", "admin.crt", "admin.key"].map((name) => Deno.writeTextFile(`${dir}/${name}`, name)));
    return await main(args, { TELEPORT_CERTS: dir }, io);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
