/** Opens the C library for the few calls that Deno has no API for. */

/**
 * Opens the functions of the C library that are named. Disposing of the library, or `close()`, gives it back.
 *
 * @returns undefined where the C library is another one (musl), or lacks one of them
 */
export function openLibc<const Symbols extends Deno.ForeignLibraryInterface>(
  symbols: Symbols,
): Deno.DynamicLibrary<Symbols> | undefined {
  try {
    return Deno.dlopen("libc.so.6", symbols);
  } catch {
    return undefined;
  }
}
