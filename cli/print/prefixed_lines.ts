/** Prints the output of several jobs together: whole lines, each after the name of its job. */
import { joinBytes } from "../../base/join_bytes.ts";
import type { JobOutput } from "../../proto/teleport/v1/job_worker.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import { outputJson } from "./message_json.ts";
import type { Print, Style } from "./print.ts";

const NEWLINE = 10;

/** The most bytes of a line that are kept until its end comes. A longer line is printed in parts of this size. */
export const MAX_LINE_BYTES = 65_536;

/** The colours of the jobs, in turn. Red is for errors. */
const COLOURS: readonly Style[] = ["cyan", "yellow", "green", "magenta", "blue"];

/** The job of a line. */
export interface NamedJob {
  readonly id: string;
  /** The text before each line. */
  readonly name: string;
}

/** A line whose end has not come, of one stream. */
interface OpenLine {
  parts: Uint8Array[];
  bytes: number;
}

/** The output of one job. */
export interface PrefixedOutput {
  /** Prints the lines that the chunk completes. For dropped output it prints a note. */
  write(output: JobOutput): Promise<void>;
  /** Prints lines that have no newline at their end. */
  end(): Promise<void>;
}

/** The printer of several jobs. One write is never inside another one. */
export class PrefixedLines {
  readonly #print: Print;
  #width = 0;
  #jobs = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(print: Print) {
    this.#print = print;
  }

  /** Makes room for a name, so that the lines begin in one column. */
  align(name: string): void {
    this.#width = Math.max(this.#width, escapeTerminal(name).length);
  }

  /** Adds a job. */
  add({ id, name }: NamedJob): PrefixedOutput {
    this.align(name);
    const colour = COLOURS[this.#jobs++ % COLOURS.length]!;
    const prefix = () =>
      new TextEncoder().encode(this.#print.styled(colour, `${escapeTerminal(name).padEnd(this.#width)} | `));
    const open: Record<"stdout" | "stderr", OpenLine> = {
      stdout: { parts: [], bytes: 0 },
      stderr: { parts: [], bytes: 0 },
    };
    const flush = async (stream: "stdout" | "stderr") => {
      const { parts, bytes } = open[stream];
      if (bytes === 0) return;
      open[stream] = { parts: [], bytes: 0 };
      await this.#one(() => this.#print.bytes(stream, joinBytes([prefix(), ...parts, Uint8Array.of(NEWLINE)])));
    };
    return {
      write: async (output) => {
        if (this.#print.isJson) return await this.#one(() => this.#print.jsonLine({ id, ...outputJson(output) }));
        const stream = output.stream === "STREAM_STDERR" ? "stderr" : "stdout";
        if (output.dropped_bytes > 0) {
          await flush(stream);
          const sentence = `${output.dropped_bytes} bytes of ${stream} are missing here: its output limit dropped them`;
          await this.#one(() => this.#print.note(`${name}: ${sentence}`));
        }
        const lines = completeLines(open[stream], output.data, prefix);
        if (lines.length > 0) await this.#one(() => this.#print.bytes(stream, joinBytes(lines)));
      },
      end: async () => {
        await flush("stdout");
        await flush("stderr");
      },
    };
  }

  /** Writes after all writes before. A write that failed fails the ones after it too. */
  #one(write: () => Promise<void>): Promise<void> {
    return this.#last = this.#last.then(write);
  }
}

/** Returns the parts of the lines that the data completes, with prefixes. Keeps the rest. */
function completeLines(open: OpenLine, data: Uint8Array, prefix: () => Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let at = 0; at < data.length;) {
    const newline = data.indexOf(NEWLINE, at);
    const room = at + MAX_LINE_BYTES - open.bytes;
    const end = Math.min(newline < 0 ? data.length : newline + 1, room);
    const isComplete = data[end - 1] === NEWLINE;
    const part = data.subarray(at, end);
    if (isComplete || end === room) {
      lines.push(prefix(), ...open.parts, part);
      if (!isComplete) lines.push(Uint8Array.of(NEWLINE));
      open.parts = [];
      open.bytes = 0;
    } else {
      // A copy, because a short rest would keep the whole chunk in memory.
      open.parts.push(part.slice());
      open.bytes += part.length;
    }
    at = end;
  }
  // Many short parts cost more memory than their bytes.
  if (open.parts.length > 64) open.parts = [joinBytes(open.parts)];
  return lines;
}
