/** The machine that the command line runs on. `cli.ts` passes the real one, tests pass a fake one. */
import type { JobWorkerClient } from "../proto/service.ts";
import type { TlsCredentials } from "../rpc/client/client.ts";

/** A file to write to, such as `Deno.stdout`. */
export interface OutputFile {
  /** Waits for room, writes some of the bytes and resolves to their number. */
  write(data: Uint8Array): Promise<number>;
  isTerminal(): boolean;
}

/** A file to read from, such as `Deno.stdin`. */
export interface InputFile {
  /** Waits for bytes, reads some into the buffer and resolves to their number. Resolves to null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
}

/** A program on this machine that runs. */
export interface LocalProgram {
  /** Writes to the program, and waits until it has taken the data. Rejects when it has closed its input. */
  write(data: Uint8Array): Promise<void>;
  /** Ends the input of the program. */
  endInput(): Promise<void>;
  readonly stdout: InputFile;
  readonly stderr: InputFile;
  /** Resolves to the exit code, or to 128 + n after signal n. */
  readonly ended: Promise<number>;
  /** Sends a signal. Does nothing when the program has ended. */
  kill(signal: Deno.Signal): void;
}

/** The terminal of this program. */
export interface Terminal {
  /** Returns whether the standard input is the terminal. Without it, only the size has a use. */
  isTerminal(): boolean;
  /** The kind of terminal, from the variable TERM. */
  readonly kind: string | undefined;
  /** Switches to raw mode, in which every key is a byte, and back. */
  setRaw(isRaw: boolean): void;
  /** Returns the size now, each side from 1 to 10,000: 80 columns and 24 rows when it is not known. */
  size(): TerminalSize;
  /** Calls the listener at each change of the size, until it is disposed of. */
  onResize(listener: () => void): Disposable;
  /** Calls the listener when this process continues after a suspension, until it is disposed of. */
  onContinue(listener: () => void): Disposable;
  /** Writes the bytes to the standard output when an uncaught error ends this process, until it is disposed of. */
  onCrash(bytes: () => Uint8Array): Disposable;
}

/** An open connection to a server. */
export interface Connection extends AsyncDisposable {
  readonly calls: JobWorkerClient;
}

/** The signals that `run` forwards to its job. */
export const FORWARDED_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** A signal that `run` forwards to its job. */
export type ForwardedSignal = (typeof FORWARDED_SIGNALS)[number];

/** The size of a terminal in cells. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** The machine. */
export interface Io {
  readonly stdin: InputFile;
  readonly stdout: OutputFile;
  readonly stderr: OutputFile;
  readonly terminal: Terminal;
  /** Calls the listener for each such signal to this process, until it is disposed of. */
  onSignal(signal: ForwardedSignal, listener: () => void): Disposable;
  /** Reads a clock that never goes back, in milliseconds. */
  nowMs(): number;
  /** Starts a program on this machine, with the directory and environment of this one. */
  startProgram(command: string, args: readonly string[]): LocalProgram;
  /**
   * Runs a command with sh(1), with the files of this process.
   *
   * @param variables variables in addition to the environment
   * @returns its exit code, or 128 + n after signal n
   */
  runShell(command: string, variables: Readonly<Record<string, string>>): Promise<number>;
  /** Opens a connection. The first call shows whether it works. */
  connect(options: { address: string; credentials: TlsCredentials }): Promise<Connection>;
}
