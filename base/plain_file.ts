/**
 * Reads files that another user may have replaced. A named pipe in place of a file would block its reader, and a device
 * could do anything. So the file is opened without waiting, and its kind is checked before the first byte is read.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** The path has something else than a file, or a file that is too long. */
export class NotPlainFileError extends Error {
  override readonly name = "NotPlainFileError";
}

/**
 * Opens a file for reading. The caller closes the descriptor.
 *
 * @throws {NotPlainFileError} when it is not a file
 * @throws the error of the system
 */
export function openPlainFile(path: string): number {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw new NotPlainFileError(`"${path}" is not a file`);
}

/**
 * Reads a whole file.
 *
 * @param maxBytes the longest file that is read
 * @throws {NotPlainFileError} when it is longer, or is not a file
 * @throws the error of the system
 */
export function readPlainFile(path: string, maxBytes: number): Uint8Array<ArrayBuffer> {
  const fd = openPlainFile(path);
  try {
    const { size } = fstatSync(fd);
    if (size > maxBytes) throw new NotPlainFileError(`"${path}" has ${size} bytes, and ${maxBytes} are allowed`);
    const bytes = new Uint8Array(size);
    let filled = 0;
    for (let read = -1; filled < size && read !== 0; filled += read) {
      read = readSync(fd, bytes, filled, size - filled, null);
    }
    return bytes.subarray(0, filled);
  } finally {
    closeSync(fd);
  }
}
