/** The names and the order of the files of an audit log, and the file that names the end of the audit log. */

/** Returns the name of the file with this number. The names sort like the numbers. */
export function auditFileName(number: number): string {
  return `audit-${String(number).padStart(8, "0")}.jsonl`;
}

/** Returns the number in the name of a file; undefined for other files. */
function fileNumber(name: string): number | undefined {
  const digits = /^audit-(\d{8})\.jsonl$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Returns the numbers of the files in a directory, in order. */
export async function auditFileNumbers(directory: string): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { name } of Deno.readDir(directory)) {
    const number = fileNumber(name);
    if (number !== undefined) numbers.push(number);
  }
  return numbers.sort((one, other) => one - other);
}

/** The name of the head: a file with the number and the hash of the last line. It shows when lines were cut off. */
export const HEAD_NAME = "audit.head";

/** Returns the text of the head. Its length is constant, so it can be written over. */
export function headText({ seq, hash }: { readonly seq: number; readonly hash: string }): string {
  return `${String(seq).padStart(16, "0")} ${hash}\n`;
}

/** Reads the head of a directory. Returns undefined when it is missing or damaged. */
export async function readHead(
  directory: string,
): Promise<{ readonly seq: number; readonly hash: string } | undefined> {
  try {
    const parts = /^(\d{16}) ([0-9a-f]{64})\n$/.exec(await Deno.readTextFile(`${directory}/${HEAD_NAME}`));
    return parts === null ? undefined : { seq: Number(parts[1]), hash: parts[2]! };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
