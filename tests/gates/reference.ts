// deno-lint-ignore-file no-console -- a program for developers, which prints its findings
/**
 * Writes the reference of all commands, options and exit codes from the programs themselves: `deno task reference`.
 * With `--check` it fails when a page differs from its program: `deno task check:reference`.
 */
import { EXIT_CODE } from "../../cli/exit_code.ts";
import { createProgram as createTeleport } from "../../cli/program.ts";
import { createProgram as createTeleportd } from "../../teleportd/flags.ts";
import { type Page, pageText } from "./reference_text.ts";

const root = new URL("../../", import.meta.url);
const noOutput = { stdout: () => {}, stderr: () => {} };
const neverRun = () => Promise.reject(new Error("The reference runs no command"));

const TELEPORT_CODES: Record<keyof typeof EXIT_CODE, string> = {
  OK: "Success. `run`, `start` and `wait` exit with the job's own exit code, from 0 to 255.",
  FAILED: "The server refused the call, or the call failed. Also the job was LOST.",
  USAGE: "The command line or the environment is not valid.",
  TIMED_OUT: "The job ran longer than its `--timeout`.",
  NOT_EXECUTABLE: "The job could not be started, for another reason than 127.",
  NOT_FOUND: "The job's command was not found.",
  BROKEN_PIPE: "The reader of the output closed it (128 + SIGPIPE).",
  UNREACHABLE: "The server cannot be reached, or refused the certificate.",
};

/** Returns the pages of the reference, made from the programs. */
export function referencePages(): Page[] {
  const codes = Object.entries(EXIT_CODE) as [keyof typeof EXIT_CODE, number][];
  return [
    {
      path: "docs/reference/teleport.md",
      program: createTeleport({ call: neverRun, local: neverRun }, noOutput),
      exitCodes: [
        ...codes.map(([name, code]): [string, string] => [String(code), TELEPORT_CODES[name]]),
        ["128 + n", "Signal n ended the job, or this command."],
      ],
    },
    {
      path: "docs/reference/teleportd.md",
      program: createTeleportd("", noOutput, () => {}),
      exitCodes: [
        [
          "0",
          "The server stopped in order, after SIGTERM or SIGINT. `--check-config` or `audit verify` found no fault.",
        ],
        ["1", "The server cannot start. `--check-config` or `audit verify` found a fault."],
        ["2", "The command line or the environment is not valid."],
        ["70", "A defect of the server: an exception that nothing caught."],
        ["141", "The reader of the output closed it (128 + SIGPIPE)."],
      ],
    },
  ];
}

/** Returns one sentence for each page that differs from its program. */
export async function differences(pages: readonly Page[]): Promise<string[]> {
  const found: string[] = [];
  for (const page of pages) {
    const committed = await Deno.readTextFile(new URL(page.path, root)).catch(() => "");
    if (committed !== pageText(page)) found.push(`${page.path} differs from the program: run "deno task reference"`);
  }
  return found;
}

/** Runs the generator or the gate, and returns its exit code. */
async function main(args: readonly string[]): Promise<number> {
  const pages = referencePages();
  if (args.includes("--check")) {
    const found = await differences(pages);
    for (const sentence of found) console.log(sentence);
    return found.length > 0 ? 1 : 0;
  }
  await Deno.mkdir(new URL("docs/reference/", root), { recursive: true });
  for (const page of pages) await Deno.writeTextFile(new URL(page.path, root), pageText(page));
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
