/** Gathers entropy for the first TLS handshake of a process, while the program loads. */

/** The program of the thread. To make any key seeds the generator, which all threads share. */
const PROGRAM = `crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]).finally(() => close());`;

/**
 * Starts a thread that gathers entropy. A client that makes one call should start it before it loads other modules.
 *
 * Deno's TLS uses AWS-LC, which seeds its generator from the jitter of the processor at the first use. Measured: 32 of
 * the 37 ms of a handshake. No asynchronous function of Deno does it outside the main thread. If no thread can start,
 * the handshake gathers the entropy itself.
 */
export function gatherEntropy(): void {
  try {
    const worker = new Worker(`data:application/javascript,${encodeURIComponent(PROGRAM)}`, { type: "module" });
    worker.addEventListener("error", (event) => event.preventDefault());
  } catch {
    // The handshake only takes longer.
  }
}
