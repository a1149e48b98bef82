/** Keeps SIGHUP from ending a process when its terminal is closed. */

/** Ignores SIGHUP until the result is disposed of. Children get the default action again. */
export function ignoreHangup(): Disposable {
  const ignore = () => {};
  Deno.addSignalListener("SIGHUP", ignore);
  return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGHUP", ignore) };
}
