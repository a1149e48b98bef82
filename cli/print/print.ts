/** The only writer to stdout and stderr: data goes to stdout, notes to stderr. */
import { sleep } from "../../base/backoff.ts";
import { errorMessage } from "../../base/error_message.ts";
import { styleText } from "node:util";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import { jsonLine } from "../../text/unprintable.ts";
import type { Environment } from "../config.ts";
import type { Io, OutputFile, Terminal } from "../io.ts";
import type { Encode, FormatKind } from "./format.ts";

/** The reader of the output has closed it. */
export class BrokenPipeError extends Error {
  override readonly name = "BrokenPipeError";
}

/** A style of text on a terminal. */
export type Style = "bold" | "dim" | "green" | "red" | "yellow" | "blue" | "cyan" | "magenta";

/** Writes for one command. Every method resolves when the bytes are written, so a slow reader slows the command. */
export interface Print {
  readonly format: FormatKind;
  /** True when data is printed for programs: as JSON, YAML, names or by a template. */
  readonly isJson: boolean;
  /** The cells of a line when stdout is a terminal. Undefined otherwise: then nothing is cut. */
  readonly columns: number | undefined;
  /** Prints a line of data for people. */
  line(text: string): Promise<void>;
  /** Prints data for programs: the value in the format, such as a line of JSON. */
  jsonLine(value: unknown): Promise<void>;
  /** Writes bytes of a job unchanged. */
  bytes(to: "stdout" | "stderr", data: Uint8Array): Promise<void>;
  /** Prints a sentence to stderr, after the name of the program. Never rejects, because the command works without it. */
  note(sentence: string): Promise<void>;
  /** Returns the text in a style when stdout is a terminal, else unchanged. */
  styled(style: Style, text: string): string;
}

/** The format of the data of one command. */
export interface PrintOptions {
  /** Default: `text`. */
  readonly format?: FormatKind;
  /** Encodes data for programs. Absent for a format for people. */
  readonly encode?: Encode | undefined;
}

/** Makes the writer of one command. */
export function createPrint(
  io: Pick<Io, "stdout" | "stderr"> & { readonly terminal: Pick<Terminal, "size"> },
  env: Environment,
  { format = "text", encode }: PrintOptions = {},
): Print {
  // https://no-color.org: NO_COLOR counts when it is not empty. A dumb terminal shows the codes of colours as text.
  const hasColour = encode === undefined && !env.NO_COLOR && env.TERM !== "dumb" && io.stdout.isTerminal();
  const encoder = new TextEncoder();
  return {
    format,
    isJson: encode !== undefined,
    columns: io.stdout.isTerminal() ? io.terminal.size().columns : undefined,
    line: (text) => writeAll(io.stdout, "output", encoder.encode(`${text}\n`)),
    jsonLine: (value) => writeAll(io.stdout, "output", encoder.encode(encode?.(value) ?? `${jsonLine(value)}\n`)),
    bytes: (to, data) => writeAll(io[to], to === "stdout" ? "output" : "error output", data),
    async note(sentence) {
      try {
        await writeAll(io.stderr, "error output", encoder.encode(`teleport: ${escapeTerminal(sentence)}\n`));
      } catch {
        // Stderr cannot be written. The command itself has not failed.
      }
    },
    styled: (style, text) => hasColour ? styleText(style, text, { validateStream: false }) : text,
  };
}

/** The wait before a write that would have blocked is tried again, in milliseconds: too short to be noticed. */
const RETRY_MS = 5;

/**
 * The most bytes that a write to a pipe takes wholly or not at all; pipe(7). Deno writes a part of more bytes before it
 * reports that the file has no room, and does not say how much.
 */
const MAX_WHOLE_BYTES = 4_096;

async function writeAll(file: OutputFile, name: string, data: Uint8Array): Promise<void> {
  let rest = data;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(await file.write(rest));
    } catch (cause) {
      // Another program made the file non-blocking, such as a shared terminal. No event says when it has room.
      if (cause instanceof Deno.errors.WouldBlock) {
        if (rest.length > MAX_WHOLE_BYTES) {
          throw new Error(
            `Cannot write to the standard ${name}: another program made it non-blocking: redirect it to a file`,
            { cause },
          );
        }
        await sleep(RETRY_MS);
        continue;
      }
      const message = errorMessage(cause);
      if (cause instanceof Deno.errors.BrokenPipe) throw new BrokenPipeError(message, { cause });
      throw new Error(`Cannot write to the standard ${name}: ${message}`, { cause });
    }
  }
}
