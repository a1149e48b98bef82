/** Files that cannot be executed, and the ways to start them. */
import type { ProcessOptions } from "../../../worker/process/options.ts";
import { Process } from "../../../worker/process/process.ts";
import { openSessions } from "../../support/sessions.ts";
import type { StartErrorCode } from "../../../worker/launch/failure.ts";
import { Sink } from "../../support/sink.ts";
import { type TempDir, tempDir } from "../../support/temp_dir.ts";

/** Options with which a start takes each way. */
const WAYS: readonly (readonly [string, ProcessOptions])[] = [
  ["directly", {}],
  ["through one shell", { umask: 0o27 }],
  ["through two shells", { nice: 1 }],
  ["through env(1)", { nice: 1, env: { "a.b": "no shell exports this" } }],
];

/**
 * Returns the ways above, and those by setsid(1).
 *
 * @param directory a directory for the links of the starts
 */
export async function waysIn(directory: string): Promise<readonly (readonly [string, ProcessOptions])[]> {
  const sessions = await openSessions(directory);
  return [
    ...WAYS,
    ["by setsid(1)", { sessions }],
    ["by setsid(1) and one shell", { sessions, umask: 0o27 }],
    ["by setsid(1) and two shells", { sessions, nice: 1 }],
  ];
}

/** True if the tests run as root. */
export const isRoot = Deno.uid() === 0;

/** Creates files that cannot be executed, each for another reason. */
export async function makeFiles(): Promise<TempDir> {
  const temp = await tempDir({ mode: 0o755 });
  const directory = temp.path;
  const write = async (name: string, data: Uint8Array | string, mode = 0o755) => {
    await Deno.writeFile(`${directory}/${name}`, typeof data === "string" ? new TextEncoder().encode(data) : data);
    await Deno.chmod(`${directory}/${name}`, mode);
  };
  const elf = await Deno.readFile("/bin/true");
  const other = elf.slice();
  other[18] = elf[18] === 0xb7 ? 0x3e : 0xb7; // e_machine: arm64 on x86-64, and x86-64 on arm64.
  await write("other-machine", other);
  await write("cut-in-its-head", elf.slice(0, 40));
  await write("cut-in-its-table", elf.slice(0, 100));
  await write("cut-in-its-code", elf.slice(0, elf.length >> 1));
  await write("magic-alone", "\x7fELF");
  await write("object-file", elf.map((byte, index) => index === 16 ? 1 : byte)); // ET_REL
  await write("table-nowhere", elf.map((byte, index) => index >= 32 && index < 40 ? 0xff : byte)); // e_phoff
  await write("interpreter-too-long", `#!${"/".repeat(260)}bin/sh\n`);
  await write("archive", new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]));
  await write("no-interpreter", "#!/no/such/interpreter\n");
  await write("empty-interpreter", "#!\necho hidden\n");
  await write("blank-interpreter", "#! \t\necho hidden\n");
  await write("interpreter-of-other-machine", `#!${directory}/other-machine\n`);
  await write("interpreter-not-executable", `#!${directory}/plain\n`);
  await write("interpreter-is-directory", `#!${directory}\n`);
  await write("interpreter-of-interpreter", `#!${directory}/no-interpreter\n`);
  await write("plain", "x", 0o644);
  await write("text", 'echo "$#:$1"; exit 3\n');
  await write("empty", "");
  await write("long-name", "#!/bin/sh\n");
  await Deno.symlink("loop", `${directory}/loop`);
  await Deno.mkdir(`${directory}/folder`);
  await new Deno.Command("mkfifo", { args: ["-m", "755", `${directory}/pipe`] }).output();
  return temp;
}

/** The file, the code of the error, and the words after the command. */
export const FAILURES: readonly (readonly [string, StartErrorCode, RegExp])[] = [
  ["other-machine", "NOT_EXECUTABLE", /: Exec format error: it is neither a script nor a whole program/],
  ["cut-in-its-head", "NOT_EXECUTABLE", /: Exec format error: /],
  ["cut-in-its-table", "NOT_EXECUTABLE", /: Exec format error: /],
  ["cut-in-its-code", "NOT_EXECUTABLE", /: Exec format error: /],
  ["magic-alone", "NOT_EXECUTABLE", /: Exec format error: /],
  ["object-file", "NOT_EXECUTABLE", /: Exec format error: /],
  ["table-nowhere", "NOT_EXECUTABLE", /: Exec format error: /],
  ["interpreter-too-long", "NOT_EXECUTABLE", /: Exec format error: /],
  ["archive", "NOT_EXECUTABLE", /: Exec format error: /],
  [
    "no-interpreter",
    "NOT_EXECUTABLE",
    /: No such file or directory: its interpreter "\/no\/such\/interpreter" was not found$/,
  ],
  ["empty-interpreter", "NOT_EXECUTABLE", /: Exec format error: /],
  ["blank-interpreter", "NOT_EXECUTABLE", /: Exec format error: /],
  ["interpreter-of-other-machine", "NOT_EXECUTABLE", /: Exec format error: /],
  [
    "interpreter-not-executable",
    "NOT_EXECUTABLE",
    /: Permission denied: its interpreter "\S+\/plain" cannot be executed$/,
  ],
  ["interpreter-is-directory", "NOT_EXECUTABLE", /: Permission denied: its interpreter "\S+" cannot be executed$/],
  [
    "interpreter-of-interpreter",
    "NOT_EXECUTABLE",
    /: No such file or directory: its interpreter "\/no\/such\/interpreter" was not found$/,
  ],
  ["plain", "NOT_EXECUTABLE", /: Permission denied: it is not executable: set its execute bit$/],
  ["loop", "NOT_EXECUTABLE", /: Too many levels of symbolic links$/],
  ["folder", "NOT_EXECUTABLE", / is a directory: name a program$/],
  ["pipe", "NOT_EXECUTABLE", /: Permission denied: it is not a regular file$/],
  ["plain/inside", "NOT_EXECUTABLE", /: Not a directory$/],
  ["x".repeat(256), "NOT_EXECUTABLE", /: File name too long$/],
  ["missing", "COMMAND_NOT_FOUND", / not found: /],
];

/** Runs a program to its end. */
export async function run(command: string, args: readonly string[], options: ProcessOptions) {
  const output = new Sink();
  const status = await new Process(command, args, { output, ...options }).start();
  return { status, ...output.text };
}
