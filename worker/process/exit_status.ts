/** The exit status of a child process: its exit code, or the signal that ended it. */
import { signalName } from "../../base/signals.ts";

/** How a process ended. */
export type ExitStatus = { readonly exitCode: number } | { readonly signal: string };

/** Waits for the end of a child process and returns its exit status. */
export async function waitForExit(child: Deno.ChildProcess): Promise<ExitStatus> {
  try {
    const { code, signal } = await child.status;
    return signal === null ? { exitCode: code } : { signal };
  } catch (error) {
    // Deno 2.9 rejects on real-time signals, with the number in the message: "Invalid signal: 34".
    const number = Number(/^Invalid signal: ([0-9]+)$/.exec(error instanceof Error ? error.message : "")?.[1]);
    const name = signalName(number);
    if (name === undefined) throw error;
    return { signal: name };
  }
}
