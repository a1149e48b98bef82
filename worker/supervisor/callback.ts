/** Calls the functions that a program gave a supervisor for its reports. */

/**
 * Returns a function that calls the given one and ignores what it throws. A failing report must not stop the work that
 * it reports on.
 */
export function callback<Value>(report: ((value: Value) => void) | undefined): (value: Value) => void {
  return (value) => {
    try {
      report?.(value);
    } catch {
      // Nobody is left to report it to.
    }
  };
}
