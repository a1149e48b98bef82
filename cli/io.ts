/** What the command line has of the machine it runs on. The door gives the real one, a test its own. */
import type { JobWorkerClient } from "../proto/service.ts";

/** A place to write bytes to, such as `Deno.stdout`. */
export interface OutputFile {
  /** Writes some of the bytes and resolves to how many, once there is room for them. */
  write(data: Uint8Array): Promise<number>;
  /** True when a person reads it. */
  isTerminal(): boolean;
}

/** A place to read bytes from, such as `Deno.stdin`. */
export interface InputFile {
  /** Reads some bytes into the buffer and resolves to how many, once there are any; to null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
}

/** What a client proves itself with, each in PEM. */
export interface Credentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** An open connection to a server. */
export interface Connection extends AsyncDisposable {
  readonly calls: JobWorkerClient;
}

/** The signals that `run` passes on to its job. */
export const FORWARDED_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** One of them. */
export type ForwardedSignal = (typeof FORWARDED_SIGNALS)[number];

/** The machine. */
export interface Io {
  readonly stdin: InputFile;
  readonly stdout: OutputFile;
  readonly stderr: OutputFile;
  /** Calls the listener for each such signal this process gets, until disposed of. */
  onSignal(signal: ForwardedSignal, listener: () => void): Disposable;
  /** Milliseconds of a clock that only goes forward. */
  nowMs(): number;
  /** Opens a connection. It need not be usable yet: the first call tells. */
  connect(options: { address: string; credentials: Credentials }): Promise<Connection>;
}
