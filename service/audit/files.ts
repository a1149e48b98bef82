/** The files of the audit record: how they are called, in which order, and the mark of where the record ends. */

/** The name of the file with this number; they sort as they follow each other. */
export function auditFileName(number: number): string {
  return `audit-${String(number).padStart(8, "0")}.jsonl`;
}

/** The number of a file by its name; undefined for another's. */
function fileNumber(name: string): number | undefined {
  const digits = /^audit-(\d{8})\.jsonl$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The numbers of the files in a directory, in order. */
export async function auditFileNumbers(directory: string): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { name } of Deno.readDir(directory)) {
    const number = fileNumber(name);
    if (number !== undefined) numbers.push(number);
  }
  return numbers.sort((one, other) => one - other);
}

/** Beside the files: number and hash of the last line, so that lines cut off the end are missed. */
export const HEAD_NAME = "audit.head";

/** The text of the head; always as long, so that it is written over. */
export function headText({ seq, hash }: { readonly seq: number; readonly hash: string }): string {
  return `${String(seq).padStart(16, "0")} ${hash}\n`;
}

/** Reads the head of a directory; undefined when there is none, or it is damaged. */
export async function readHeadOf(
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
