/** The only writer to stdout and stderr: data to the one, sentences to the other. */
import { styleText } from "node:util";
import type { Environment } from "../config.ts";
import type { Io, OutputFile } from "../io.ts";
import { jsonLine } from "../../text/unprintable.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";

/** Who read the output has gone away; there is nobody left to tell. */
export class BrokenPipeError extends Error {
  override readonly name = "BrokenPipeError";
}

/** A style of text on a terminal. */
export type Style = "bold" | "dim" | "green" | "red" | "yellow";

/** Writes for one command. Every method resolves once the bytes are taken, so a slow reader slows the writer. */
export interface Print {
  /** Whether data is to be JSON. */
  readonly json: boolean;
  /** A line of data for people. */
  line(text: string): Promise<void>;
  /** A line of data for programs: the value as JSON. */
  record(value: unknown): Promise<void>;
  /** Bytes of a job, as they are. */
  bytes(to: "stdout" | "stderr", data: Uint8Array): Promise<void>;
  /** A sentence on stderr, after the name of the program. Never rejects: the work goes on without it. */
  note(sentence: string): Promise<void>;
  /** The text in a style where stdout is a terminal, else as it is. */
  styled(style: Style, text: string): string;
}

/** Makes the writer of one command. */
export function createPrint(io: Pick<Io, "stdout" | "stderr">, env: Environment, options: { json: boolean }): Print {
  // As https://no-color.org has it: set and not empty. A dumb terminal shows the codes of a colour as text.
  const colour = !options.json && !env.NO_COLOR && env.TERM !== "dumb" && io.stdout.isTerminal();
  const encoder = new TextEncoder();
  return {
    json: options.json,
    line: (text) => writeAll(io.stdout, "output", encoder.encode(`${text}\n`)),
    record: (value) => writeAll(io.stdout, "output", encoder.encode(`${jsonLine(value)}\n`)),
    bytes: (to, data) => writeAll(io[to], to === "stdout" ? "output" : "error output", data),
    async note(sentence) {
      try {
        await writeAll(io.stderr, "error output", encoder.encode(`teleport: ${escapeTerminal(sentence)}\n`));
      } catch {
        // A sentence about the work that stderr does not take is no failure of the work.
      }
    },
    styled: (style, text) => colour ? styleText(style, text, { validateStream: false }) : text,
  };
}

/** How soon a write is tried again that would have blocked, in milliseconds: below what a person notices. */
const RETRY_MS = 5;

async function writeAll(file: OutputFile, name: string, data: Uint8Array): Promise<void> {
  let rest = data;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(await file.write(rest));
    } catch (cause) {
      // Only where another program made the file non-blocking, say a shared terminal; nothing tells when it has room.
      if (cause instanceof Deno.errors.WouldBlock) {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        continue;
      }
      const message = cause instanceof Error ? cause.message : String(cause);
      if (cause instanceof Deno.errors.BrokenPipe) throw new BrokenPipeError(message, { cause });
      throw new Error(`Cannot write to the standard ${name}: ${message}`, { cause });
    }
  }
}
