// deno-lint-ignore-file no-console -- a program for developers, which prints its findings
/**
 * Writes the reference of all commands, options and exit codes, and manual pages, from the programs themselves: `deno task reference`.
 * With `--check` it fails when a page differs from its program: `deno task check:reference`.
 */
import { createProgram as createCerts } from "../../certs/program.ts";
import { Tool } from "../../certs/tool.ts";
import { EXIT_CODE } from "../../cli/exit_code.ts";
import { createProgram as createTeleport } from "../../cli/program.ts";
import type { ErrorCode } from "../../mod.ts";
import { STATUS_OF } from "../../rpc/shared/errors.ts";
import { EXIT_BROKEN_PIPE, EXIT_DEFECT, EXIT_FAILED, EXIT_OK, EXIT_USAGE } from "../../teleportd/exit_code.ts";
import { createProgram as createTeleportd } from "../../teleportd/flags.ts";
import { manualPages } from "./reference_man.ts";
import { errorsText, type Page, programText } from "./reference_text.ts";

const root = new URL("../../", import.meta.url);
const noOutput = { stdout: () => {}, stderr: () => {} };
const noFile = { writeSync: (bytes: Uint8Array) => bytes.length };
const noFiles = { stdout: noFile, stderr: noFile, readVariable: () => undefined };
const neverRun = () => Promise.reject(new Error("The reference runs no command"));

const TELEPORT_CODES: Record<keyof typeof EXIT_CODE, string> = {
  OK: "Success. `run` and `wait` exit with the job's own exit code, from 0 to 255.",
  FAILED: "The server refused the call, or the call failed. Also the job was LOST.",
  USAGE: "The command line, the environment, `config.toml` or a bundle is not valid.",
  TIMED_OUT: "The job ran longer than its `--timeout`.",
  NOT_EXECUTABLE: "The job could not be started, for another reason than 127.",
  NOT_FOUND: "The job's command was not found.",
  BROKEN_PIPE: "The reader of the output closed it (128 + SIGPIPE).",
  UNREACHABLE: "The server cannot be reached, or refused the certificate.",
};

const TELEPORTD_CODES: [number, string][] = [
  [EXIT_OK, "The server stopped in order, after SIGTERM or SIGINT. `--check-config` or `audit verify` found no fault."],
  [
    EXIT_FAILED,
    "The server cannot start, or could not stop its jobs. `--check-config` or `audit verify` found a fault.",
  ],
  [EXIT_USAGE, "The command line or the environment is not valid."],
  [EXIT_DEFECT, "A defect of the server: an exception that nothing caught."],
  [EXIT_BROKEN_PIPE, "The reader of the output closed it (128 + SIGPIPE)."],
];

const CERTS_CODES = [
  ["0", "Success."],
  ["1", "The tool refused the request, or could not read or write a file."],
  ["2", "The command line or the environment is not valid."],
  ["141", "The reader of the output closed it (128 + SIGPIPE)."],
];

const ERROR_MEANINGS: Record<ErrorCode, string> = {
  INVALID_ARGUMENT: "The request has a value that is not valid, such as an empty command.",
  INVALID_SIGNAL: "Linux has no signal of this name or number.",
  INVALID_CURSOR: "The cursor is not one of this job's output.",
  CURSOR_OUT_OF_RANGE: "The cursor is beyond the end of the output.",
  JOB_NOT_FOUND: "No job has this id, or the caller may not see it.",
  JOB_NOT_RUNNING: "The call needs a running job.",
  JOB_RUNNING: "The call needs a job that does not run.",
  SIGNAL_DENIED: "The kernel does not let the server signal a process of the job.",
  NOT_ENDED: "Some processes of the job could not be ended.",
  NO_INPUT: "The job was registered without an input.",
  NO_TERMINAL: "The job was registered without a terminal.",
  INPUT_BUSY: "Another writer sends the job's input.",
  INPUT_CLOSED: "The job closed its input, or has ended.",
  INPUT_OFFSET: "The writer continues at an offset that the input has not reached.",
  INPUT_TAKEN_OVER: "A newer call of the same writer replaced this one.",
  LIMIT_REACHED: "A limit of the server or of the user is reached.",
  HOST_EXHAUSTED: "The host has no free descriptors, processes or memory. The job can be started later.",
  HOST_UNAVAILABLE:
    "The job host that runs the job does not answer, or was just lost. The job itself may run. Try again.",
  OUTPUT_UNAVAILABLE: "The output of the job is missing or damaged.",
  RECORD_DAMAGED: "The job's row in the database is damaged.",
  SUPERVISOR_CLOSED: "The server is shutting down.",
  DIRECTORY_IN_USE: "Another process has the data directory open.",
  STORE_UNUSABLE: "The database cannot be used.",
  NOT_RECORDED: "The server could not store the change, such as on a full disk. It did nothing.",
  REQUEST_ID_REUSED: "The request id belongs to another request, or to a removed job.",
  INVALID_NAME: "The name of the new job has a form that names do not have.",
  NAME_TAKEN: "Another job of the user has the name and has not ended.",
  NOT_ENFORCEABLE: "The host cannot enforce a limit or option of the job.",
  UNAUTHENTICATED: "The server does not accept the certificate.",
  PERMISSION_DENIED: "No rule of the caller's roles allows the call.",
  UNAVAILABLE: "The server cannot serve the call now.",
};

/** Returns the pages of the reference, made from the programs. */
export async function referencePages(): Promise<Page[]> {
  const exitCodes = Object.entries(EXIT_CODE) as [keyof typeof EXIT_CODE, number][];
  const errorCodes = Object.keys(STATUS_OF) as ErrorCode[];
  const teleport = await createTeleport({ call: neverRun, local: neverRun, setup: neverRun }, noOutput);
  const teleportd = createTeleportd("", noOutput, { verify: () => {}, host: () => {} });
  const certs = createCerts(new Tool(noFiles));
  const teleportCodes = [
    ...exitCodes.map(([name, code]) => [String(code), TELEPORT_CODES[name]]),
    ["128 + n", "Signal n ended the job, or this command."],
  ];
  const teleportdCodes = TELEPORTD_CODES.map(([code, meaning]) => [String(code), meaning]);
  return [
    {
      path: "docs/reference/teleport.md",
      text: programText(teleport, teleportCodes),
    },
    {
      path: "docs/reference/teleportd.md",
      text: programText(teleportd, teleportdCodes),
    },
    {
      path: "docs/reference/certs.md",
      text: programText(certs, CERTS_CODES),
    },
    {
      path: "docs/reference/errors.md",
      text: errorsText(errorCodes.map((code) => [`\`${code}\``, STATUS_OF[code], ERROR_MEANINGS[code]])),
    },
    ...manualPages(teleport, { section: 1, exitCodes: teleportCodes }),
    ...manualPages(teleportd, { section: 8, exitCodes: teleportdCodes }),
    ...manualPages(certs, { section: 1, exitCodes: CERTS_CODES }),
  ];
}

/** Returns one sentence for each page that differs from its program. */
export async function differences(pages: readonly Page[]): Promise<string[]> {
  const found: string[] = [];
  for (const page of pages) {
    const committed = await Deno.readTextFile(new URL(page.path, root)).catch(() => "");
    if (committed !== page.text) found.push(`${page.path} differs from the program: run "deno task reference"`);
  }
  return found;
}

/** Runs the generator or the gate, and returns its exit code. */
async function main(args: readonly string[]): Promise<number> {
  const pages = await referencePages();
  if (args.includes("--check")) {
    const found = await differences(pages);
    for (const sentence of found) console.log(sentence);
    return found.length > 0 ? 1 : 0;
  }
  for (const folder of ["docs/reference/", "docs/man/"]) {
    // A page of a command that is gone would stay.
    await Deno.remove(new URL(folder, root), { recursive: true }).catch(() => {});
    await Deno.mkdir(new URL(folder, root), { recursive: true });
  }
  for (const page of pages) await Deno.writeTextFile(new URL(page.path, root), page.text);
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
