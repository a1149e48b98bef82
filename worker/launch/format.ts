/**
 * Reads the format of a file, which shows whether the kernel can execute it. A start needs this check: the C library and
 * every shell run a file with /bin/sh after the kernel refused it with ENOEXEC.
 */
import { closeSync, constants, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { defined } from "../../base/defined.ts";

/** The bytes by which the kernel recognises a format: BINPRM_BUF_SIZE of linux/binfmts.h. */
const HEAD_BYTES = 256;
/** The size of the first read. Most programs have all their headers in it. */
const BLOCK_BYTES = 1_024;
/** The longest chain of interpreters that the kernel follows: exec_binprm() of fs/exec.c. */
export const MAX_INTERPRETERS = 5;
/** The largest table of program headers that the kernel accepts: load_elf_phdrs() of fs/binfmt_elf.c. */
const MAX_TABLE_BYTES = 65_536;

/** PATH_MAX, its NUL included. */
const MAX_NAME_BYTES = 4_096;

/** The e_machine values of 64-bit programs, and of the 32-bit programs that the same kernel may run; elf(5). */
const MACHINES = {
  x86_64: { own: 62, narrow: 3, narrowIsKnownBy: "/proc/sys/abi/vsyscall32" },
  aarch64: { own: 183, narrow: 40, narrowIsKnownBy: "/proc/sys/abi/cp15_barrier" },
} as const;
const [ET_EXEC, ET_DYN] = [2, 3];
const [PT_LOAD, PT_INTERP] = [1, 3];

/** The format of a file. */
export interface FileFormat {
  /** False if execve(2) would fail with ENOEXEC and the file is not text for a shell. */
  readonly isExecutable: boolean;
  /** True for a file whose first line names its interpreter. */
  readonly isScript: boolean;
  /** The program that runs it: the interpreter of a script, or the dynamic linker of a program. */
  readonly interpreter?: string;
}

/** Reads the format of a file. Undefined if it cannot be read. */
export function readFormat(path: string): FileFormat | undefined {
  return readLink(path, 0);
}

function readLink(path: string, depth: number): FileFormat | undefined {
  let file: number | undefined;
  try {
    // The file may be replaced by a pipe at any time. An open that waits would block the whole server.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = fstatSync(file);
    if (!stat.isFile()) return undefined;
    const block = readAt(file, 0, BLOCK_BYTES);
    const head = block.subarray(0, HEAD_BYTES);
    const read = (offset: number, length: number) =>
      offset + length <= block.length ? block.subarray(offset, offset + length) : readAt(file!, offset, length);
    const format = formatOf(head, read, stat.size);
    const { interpreter, isScript } = format;
    if (!format.isExecutable) return { ...format, isExecutable: isRegistered(path, head) };
    if (interpreter === undefined || !isScript || depth >= MAX_INTERPRETERS) return format;
    // The kernel refuses a script whose interpreter it cannot execute.
    return { ...format, isExecutable: readLink(interpreter, depth + 1)?.isExecutable ?? true };
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

type Read = (offset: number, length: number) => Uint8Array;

function formatOf(head: Uint8Array, read: Read, size: number): FileFormat {
  // Each byte becomes the character of the same number.
  const text = String.fromCharCode(...head).padEnd(HEAD_BYTES, "\0");
  if (text.startsWith("#!")) {
    // The kernel refuses a name that may continue after the bytes it reads: load_script() of fs/binfmt_script.c.
    const name = /^#![ \t]*([^ \t\n\0]+)[ \t\n\0]/.exec(text)?.[1];
    if (name === undefined) return { isExecutable: false, isScript: true };
    return { isExecutable: true, isScript: true, interpreter: utf8.decode(bytes(name)) };
  }
  if (text.startsWith("\x7fELF")) return elfFormat(head, read, size);
  return { isScript: false, isExecutable: head.every(isOfText) };
}

/**
 * Reads the format of an ELF file; elf(5). The kernel checks the machine, but not the class and byte order of the first
 * bytes. A truncated program is refused too: SIGBUS would kill it at some later time.
 */
function elfFormat(head: Uint8Array, read: Read, size: number): FileFormat {
  const refused = { isExecutable: false, isScript: false };
  const machine = MACHINES[Deno.build.arch];
  if (head.length < 64) return refused;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const isWide = view.getUint16(18, true) === machine.own;
  const isNarrow = view.getUint16(18, true) === machine.narrow && existsSync(machine.narrowIsKnownBy);
  if (!isWide && !isNarrow) return refused;
  const type = view.getUint16(16, true);
  if (type !== ET_EXEC && type !== ET_DYN) return refused;
  const wide = (view: DataView, at: number) => Number(view.getBigUint64(at, true));
  const tableAt = isWide ? wide(view, 32) : view.getUint32(28, true);
  const entryBytes = view.getUint16(isWide ? 54 : 42, true);
  const tableBytes = entryBytes * view.getUint16(isWide ? 56 : 44, true);
  if (entryBytes !== (isWide ? 56 : 32) || tableBytes === 0 || tableBytes > MAX_TABLE_BYTES) return refused;
  if (tableAt + tableBytes > size) return refused;
  const table = read(tableAt, tableBytes);
  if (table.length < tableBytes) return refused;
  const headers = new DataView(table.buffer, table.byteOffset, table.length);
  let interpreter: string | undefined;
  for (let at = 0; at < tableBytes; at += entryBytes) {
    const kind = headers.getUint32(at, true);
    const offset = isWide ? wide(headers, at + 8) : headers.getUint32(at + 4, true);
    const length = isWide ? wide(headers, at + 32) : headers.getUint32(at + 16, true);
    if (kind !== PT_LOAD && kind !== PT_INTERP) continue;
    if (offset + length > size) return refused;
    if (kind !== PT_INTERP) continue;
    const name = read(offset, Math.min(length, MAX_NAME_BYTES));
    if (length < 2 || length > MAX_NAME_BYTES || name.at(-1) !== 0) return refused;
    interpreter = utf8.decode(name).split("\0", 1)[0];
  }
  return { isExecutable: true, isScript: false, ...defined({ interpreter }) };
}

/** Returns true if an interpreter is registered for a file: Documentation/admin-guide/binfmt-misc.rst. */
function isRegistered(path: string, head: Uint8Array): boolean {
  const directory = "/proc/sys/fs/binfmt_misc";
  try {
    return [...Deno.readDirSync(directory)].filter(({ name }) => name !== "register" && name !== "status")
      .some(({ name }) => isEntryFor(Deno.readTextFileSync(`${directory}/${name}`), path, head));
  } catch {
    return false; // It is not mounted or may not be read.
  }
}

/** Returns true if an entry of binfmt_misc applies to a file. */
function isEntryFor(entry: string, path: string, head: Uint8Array): boolean {
  if (!entry.startsWith("enabled\n")) return false;
  const field = (name: string) => new RegExp(`^${name} (.*)$`, "m").exec(entry)?.[1];
  const extension = field("extension");
  if (extension !== undefined) return path.endsWith(extension);
  const magic = hex(field("magic") ?? "");
  const mask = field("mask") === undefined ? undefined : hex(field("mask") ?? "");
  const offset = Number(field("offset") ?? 0);
  return magic.length > 0 && magic.every((byte, index) => {
    const bits = mask?.[index] ?? 0xff;
    return ((head[offset + index] ?? 0) & bits) === (byte & bits) && offset + index < head.length;
  });
}

/** Returns true for printable characters of any encoding based on ASCII, backspace to carriage return, and escape. */
function isOfText(byte: number): boolean {
  return byte >= 0x20 ? byte !== 0x7f : (byte >= 0x08 && byte <= 0x0d) || byte === 0x1b;
}

const hex = (text: string) => (text.match(/../g) ?? []).map((digits) => parseInt(digits, 16));
const bytes = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const utf8 = new TextDecoder();

function readAt(file: number, offset: number, length: number): Uint8Array {
  const buffer = new Uint8Array(length);
  return buffer.subarray(0, readSync(file, buffer, 0, length, offset));
}
