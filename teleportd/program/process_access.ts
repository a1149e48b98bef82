/** The process of `teleportd` as its door passes it to a program: version, variables, output and exit. */
import type { LineWriter } from "../log/line_writer.ts";
import type { StandardStream } from "../process/reload_signal.ts";

/** The parts of a process that only a door may use. */
export interface ProcessAccess {
  /** The version of this program. */
  readonly version: string;
  /** The command line that started this program, without its arguments. The first item is the path of a program file. */
  readonly command: readonly string[];
  /** Returns a variable of the environment. A value that is not UTF-8 has U+FFFD. */
  readonly variable: (name: string) => string | undefined;
  readonly deleteVariable: (name: string) => void;
  /** Standard input, output and error. */
  readonly streams: readonly StandardStream[];
  /** Writes to standard output, completely. */
  readonly print: (text: string) => void;
  /** Ends the process at once. */
  readonly exit: (code: number) => never;
  /** Receives errors before there is a log. */
  readonly usage: LineWriter;
}

/** A program: its arguments in, its exit code out. */
export type Program = (args: readonly string[], access: ProcessAccess) => Promise<number>;
