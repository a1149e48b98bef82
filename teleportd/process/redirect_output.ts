/** Redirects standard output and standard error of this process to a file. */
import { openLibc } from "../../base/libc.ts";

// As in <fcntl.h>; the same on x86-64 and arm64.
const O_WRONLY = 1;
const O_APPEND = 0o2000;
const O_CLOEXEC = 0o2000000;

/**
 * Redirects standard output and standard error to the end of a file, which must exist. Then the last words of a runtime
 * that fails are in the file, and the readers of the former streams see their end.
 *
 * @returns false when the C library cannot be called
 */
export function redirectOutput(path: string): boolean {
  try {
    const library = openLibc({
      open: { parameters: ["buffer", "i32"], result: "i32" },
      dup2: { parameters: ["i32", "i32"], result: "i32" },
      close: { parameters: ["i32"], result: "i32" },
    });
    const { open, dup2, close } = library.symbols;
    const file = open(new TextEncoder().encode(`${path}\0`), O_WRONLY | O_APPEND | O_CLOEXEC);
    const isRedirected = file >= 0 && dup2(file, 1) === 1 && dup2(file, 2) === 2;
    if (file > 2) close(file);
    library.close();
    return isRedirected;
  } catch {
    return false; // Another C library.
  }
}
