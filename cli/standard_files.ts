/**
 * The standard files of the process. Regular files and `/dev/null` are read and written at once, because they never wait
 * for another program. Deno uses a thread for each other read and write, which took a quarter of the processor time of a
 * long output. A write that waits for a reader must not block signals and the connection, so it keeps its thread.
 */
import type { InputFile, OutputFile } from "./io.ts";

/** A smaller write is not worth the question what kind of file it is. */
const MIN_BYTES = 16_384;

/** The numbers of the device `/dev/null`. Source: Documentation/admin-guide/devices.txt of Linux. */
const NULL_DEVICE = 0x103;

type SyncOutput = OutputFile & { writeSync(data: Uint8Array): number };
type SyncInput = InputFile & { readSync(buffer: Uint8Array): number | null };

/** Returns whether a read or write of the file never waits for another program. */
async function neverWaits(descriptor: number): Promise<boolean> {
  const { fstatSync } = await import("node:fs");
  try {
    const stat = fstatSync(descriptor);
    return stat.isFile() || (stat.isCharacterDevice() && stat.rdev === NULL_DEVICE);
  } catch {
    return false; // The file is closed. The write itself reports that.
  }
}

/**
 * Returns the standard output or the standard error.
 *
 * @param descriptor its number, such as 1
 */
export function standardOutput(file: SyncOutput, descriptor: number): OutputFile {
  let isDirect: boolean | undefined;
  return {
    isTerminal: () => file.isTerminal(),
    async write(data) {
      if (data.length < MIN_BYTES) return await file.write(data);
      isDirect ??= await neverWaits(descriptor);
      return isDirect ? file.writeSync(data) : await file.write(data);
    },
  };
}

/**
 * Returns the standard input.
 *
 * @param descriptor its number
 */
export function standardInput(file: SyncInput, descriptor: number): InputFile {
  let isDirect: boolean | undefined;
  return {
    async read(buffer) {
      isDirect ??= await neverWaits(descriptor);
      return isDirect ? file.readSync(buffer) : await file.read(buffer);
    },
  };
}
