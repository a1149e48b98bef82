/** The raw mode of the terminal: every key is a byte for the job. */
import type { Terminal } from "../io.ts";

/**
 * Switches the terminal to raw mode until disposal. The runtime itself restores the terminal when the program ends by an
 * exit or by an uncaught error. After a suspension of this program, for example by `kill -STOP`, it is raw again.
 */
export function enterRawMode(terminal: Terminal): Disposable {
  terminal.setRaw(true);
  const setAgain = () => {
    try {
      terminal.setRaw(true);
    } catch {
      // The terminal is gone. The next read or write says so.
    }
  };
  const listener = terminal.onContinue(setAgain);
  return {
    [Symbol.dispose]() {
      listener[Symbol.dispose]();
      try {
        terminal.setRaw(false);
      } catch {
        // The terminal is gone.
      }
    },
  };
}
