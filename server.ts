/**
 * The door of `teleportd`: arguments, environment and standard streams in, exit code out. It loads the server or the job
 * host, never both: a job host must stay small.
 */
import { EXIT_BROKEN_PIPE, EXIT_DEFECT, EXIT_FAILED, EXIT_USAGE } from "./teleportd/exit_code.ts";
import { defectText } from "./teleportd/log/error_fields.ts";
import { LineWriter } from "./teleportd/log/line_writer.ts";
import { programCommand } from "./teleportd/process/program_command.ts";
import type { ProcessAccess } from "./teleportd/program/process_access.ts";
import { StartError } from "./teleportd/start_error.ts";
import { checkArguments, NotUtf8Error, readVariable } from "./text/decoded.ts";
import { escapeLine } from "./text/unprintable.ts";
import { TextNotWrittenError, writeText } from "./text/write_text.ts";
import metadata from "./deno.json" with { type: "json" };

/** Runs the program and returns its exit code. Errors before the options are known have no time and no level. */
export async function main(args: readonly string[]): Promise<number> {
  const usage = new LineWriter(Deno.stderr, (count) => `teleportd: ${count} lines were lost`);
  const access: ProcessAccess = {
    version: metadata.version,
    command: programCommand(args.length),
    variable: (name) => readVariable(Deno.env.get, name),
    deleteVariable: Deno.env.delete,
    streams: [Deno.stdin, Deno.stdout, Deno.stderr],
    print: (text) => writeText(Deno.stdout, text),
    exit: Deno.exit,
    usage,
  };
  try {
    checkArguments(args);
    const { program } = args[0] === "host"
      ? await import("./teleportd/program/host.ts")
      : await import("./teleportd/program/serve.ts");
    return await program(args, access);
  } catch (error) {
    if (error instanceof TextNotWrittenError && error.readerLeft) return EXIT_BROKEN_PIPE;
    const isExpected = error instanceof StartError || error instanceof TextNotWrittenError ||
      error instanceof NotUtf8Error;
    usage.write(escapeLine(`teleportd: ${isExpected ? error.message : defectText(error)}`));
    if (!isExpected) return EXIT_DEFECT;
    return error instanceof NotUtf8Error ? EXIT_USAGE : EXIT_FAILED;
  } finally {
    await usage.close();
  }
}

// `deno task serve -- --listen …` passes the two dashes on.
if (import.meta.main) Deno.exit(await main(Deno.args[0] === "--" ? Deno.args.slice(1) : Deno.args));
