/** Runs the certificate tool and returns its exit code. */
import { checkArguments, NotUtf8Error } from "../text/decoded.ts";
import { TextNotWrittenError } from "../text/write_text.ts";
import { CertificateError } from "./errors.ts";
import { createProgram } from "./program.ts";
import { Tool, type ToolEnvironment } from "./tool.ts";

/** The exit codes of the certificate tool. */
export const EXIT_CODE = {
  OK: 0,
  FAILED: 1,
  USAGE: 2,
  /** 128 + SIGPIPE, as for a program that the signal ends. */
  BROKEN_PIPE: 141,
} as const;

/**
 * Runs a command line.
 *
 * @returns the exit code, after an error was written to the standard error
 */
export async function main(args: readonly string[], environment: ToolEnvironment): Promise<number> {
  const tool = new Tool(environment);
  try {
    checkArguments(args);
    await createProgram(tool).parseAsync(args, { from: "user" });
    return EXIT_CODE.OK;
  } catch (error) {
    return exitCodeOf(error, tool);
  }
}

/** Reports an error and returns its exit code. Throws an error that is a defect, so that its stack is shown. */
function exitCodeOf(error: unknown, tool: Tool): number {
  if (error instanceof TextNotWrittenError && error.readerLeft) return EXIT_CODE.BROKEN_PIPE;
  if (error instanceof NotUtf8Error) {
    tool.note(error.message);
    return EXIT_CODE.USAGE;
  }
  if (error instanceof CertificateError || error instanceof TextNotWrittenError) {
    tool.note(error.message);
    return EXIT_CODE.FAILED;
  }
  // Commander has already written its error, or the help.
  if (error instanceof Error && "exitCode" in error) return error.exitCode === 0 ? EXIT_CODE.OK : EXIT_CODE.USAGE;
  throw error;
}
