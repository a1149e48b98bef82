/** The screen of a terminal that a job writes to: output, notes that do not destroy it, and its reset. */
import { escapeTerminal } from "../../text/escape_terminal.ts";
import type { Io } from "../io.ts";
import type { Print } from "../print/print.ts";
import { ScreenModes } from "./screen_modes.ts";

const LF = 0x0a;
const VT = 0x0b;
const CR = 0x0d;

/** Writes to the screen. */
export interface Screen {
  /** Writes output of the job to the screen, and notes on it. */
  readonly print: Print;
  /** Reads output that was written before, for its modes, without showing it. */
  skip(data: Uint8Array): void;
  /** Sets the modes of the skipped output. */
  enter(): Promise<void>;
  /** Returns the bytes that make the screen normal. With `newLine` the cursor is at the beginning of a line then. */
  resetBytes(options?: { readonly newLine: boolean }): Uint8Array;
}

/** Makes the screen. When stdout is not a terminal, the output is written unchanged and nothing is reset. */
export function createScreen({ stdout, stderr, terminal }: Io, print: Print): Screen {
  const modes = new ScreenModes();
  const encoder = new TextEncoder();
  const isScreen = stdout.isTerminal();
  let lastByte = LF;
  return {
    print: {
      ...print,
      async bytes(to, data) {
        if (!isScreen) return await print.bytes(to, data);
        modes.read(data);
        const shown = withoutTranslation(data, lastByte);
        if (data.length > 0) lastByte = data[data.length - 1]!;
        await print.bytes(to, shown);
      },
      async note(sentence) {
        if (!isScreen || !stderr.isTerminal()) return await print.note(sentence);
        const { columns, rows } = terminal.size();
        const text = `teleport: ${escapeTerminal(sentence)}`;
        // A full-screen program gets the note in its last line, where it stays until the program draws that line.
        const line = modes.isAlternate
          ? `\x1b7\x1b[${rows};1H\x1b[0;7m${[...text].slice(0, columns).join("")}\x1b[0m\x1b[K\x1b8`
          : `${lastByte === LF ? "" : "\r\n"}${text}\r\n`;
        if (!modes.isAlternate) lastByte = LF;
        await print.bytes("stderr", encoder.encode(line)).catch(() => {});
      },
    },
    skip(data) {
      if (isScreen) modes.read(data);
    },
    async enter() {
      if (isScreen) await print.bytes("stdout", encoder.encode(modes.enterText()));
    },
    resetBytes({ newLine } = { newLine: false }) {
      if (!isScreen) return new Uint8Array();
      return encoder.encode(`${modes.resetText()}${newLine && lastByte !== LF ? "\r\n" : ""}`);
    },
  };
}

/**
 * Replaces a line feed that moves the cursor straight down. The job's terminal has made CR LF of the others. The runtime
 * leaves the translation of LF to CR LF on in raw mode. Terminals take a vertical tab as the same move.
 *
 * @param before the byte before the data
 */
function withoutTranslation(data: Uint8Array, before: number): Uint8Array {
  let changed: Uint8Array | undefined;
  for (let at = data.indexOf(LF); at !== -1; at = data.indexOf(LF, at + 1)) {
    if ((at === 0 ? before : data[at - 1]) === CR) continue;
    changed ??= data.slice();
    changed[at] = VT;
  }
  return changed ?? data;
}
