/** The GNU C library, for the system calls that Deno does not offer. */

/**
 * Opens the C library with the functions that the caller declares. The caller closes it.
 *
 * @param functions by name, as for `Deno.dlopen`
 * @throws {Error} when the system has another C library (musl), or without the permission `ffi`
 */
export function openLibc<const Functions extends Deno.ForeignLibraryInterface>(
  functions: Functions,
): Deno.DynamicLibrary<Functions> {
  return Deno.dlopen("libc.so.6", functions);
}
