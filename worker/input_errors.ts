/** The errors of writing to the input of a job, and of its terminal. */
import { TeleportError } from "./errors.ts";

/** The job was registered without an input. */
export class NoInputError extends TeleportError {
  constructor(id: string) {
    super("NO_INPUT", `Job "${id}" has no input: register it with an input`);
  }
}

/** The job was registered without a terminal. */
export class NoTerminalError extends TeleportError {
  constructor(id: string) {
    super("NO_TERMINAL", `Job "${id}" has no terminal: register it with a terminal`);
  }
}

/** Another writer uses the input. */
export class InputBusyError extends TeleportError {
  constructor() {
    super("INPUT_BUSY", "Another writer uses the input of this job: wait until it has finished");
  }
}

/** The input is closed. */
export class InputClosedError extends TeleportError {
  /** @param bytes the bytes that the input accepted before it was closed */
  constructor(bytes: number) {
    super("INPUT_CLOSED", `The input of this job was closed after ${bytes} bytes: it accepts no more`);
  }
}

/** The writer cannot continue at this offset of the input. */
export class InputOffsetError extends TeleportError {
  /**
   * @param offset the offset that the writer gave, in bytes
   * @param bytes the bytes that the input has
   */
  constructor(offset: number, bytes: number) {
    super(
      "INPUT_OFFSET",
      `Cannot write at byte ${offset} of an input that has ${bytes} bytes: ` +
        `continue at byte ${bytes}, or leave the offset out`,
    );
  }
}

/** A newer call of the same writer replaced this call. */
export class InputTakenOverError extends TeleportError {
  constructor() {
    super("INPUT_TAKEN_OVER", "A newer call of the same writer replaced this call: the newer call continues");
  }
}
