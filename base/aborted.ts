/** Waits for the end of something that an abort signal stands for. */

/** Resolves when the signal aborts, at once if it has aborted already. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
