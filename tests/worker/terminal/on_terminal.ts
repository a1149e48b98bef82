/** Starts programs on a terminal for tests. */
import { deadline } from "../../support/deadline.ts";
import { Sink } from "../../support/sink.ts";
import type { ProcessOptions } from "../../../worker/process/options.ts";
import { Process } from "../../../worker/process/process.ts";
import type { ProcessStatus } from "../../../worker/process/state.ts";
import { texts } from "../process/input.ts";

export const SIZE = { columns: 80, rows: 24 };

/** A program on a terminal. */
export interface OnTerminal {
  readonly process: Process;
  readonly output: Sink;
  readonly ended: Promise<ProcessStatus>;
  /** Presses keys. */
  type(keys: string): Promise<void>;
}

/** Starts a program on a terminal. */
export function start(command: string, args: readonly string[], options: ProcessOptions = {}): OnTerminal {
  const output = new Sink();
  const process = new Process(command, args, { terminal: SIZE, output, ...options });
  const ended = deadline(process.start(), () => `the end of ${command}: ${JSON.stringify(output.text.stdout)}`);
  // The test that awaits it sees the error.
  ended.catch(() => {});
  const type = async (keys: string) => void await process.input?.accept(texts(keys));
  return { process, output, ended, type };
}

/** Starts a shell script on a terminal. */
export function sh(script: string, options: ProcessOptions = {}): OnTerminal {
  return start("sh", ["-c", script], options);
}

/** Starts an interactive shell on a terminal, and waits for its prompt. */
export async function startShell(): Promise<OnTerminal> {
  const shell = start("bash", ["--norc", "--noprofile", "-i"], { env: { PS1: "ready> ", HISTFILE: "" } });
  await shell.output.has("ready> ");
  return shell;
}
