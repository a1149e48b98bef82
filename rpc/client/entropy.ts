/** Gathers what the first TLS handshake of a process would wait for, beside the loading of the program. */

/** Its whole program: making a key of any kind seeds the generator, of which all threads then take. */
const PROGRAM = `crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]).finally(() => close());`;

/**
 * Begins to gather entropy on a thread of its own, for a short-lived client to call before it loads the rest.
 *
 * AWS-LC, which does the cryptography of Deno's TLS, seeds its generator from the jitter of the processor when it is
 * first used: measured 32 ms, of a handshake's 37. No asynchronous call of Deno does that off the main thread. Where no
 * thread can be had, the handshake gathers it itself, as ever.
 */
export function gatherEntropy(): void {
  try {
    const worker = new Worker(`data:application/javascript,${encodeURIComponent(PROGRAM)}`, { type: "module" });
    worker.addEventListener("error", (event) => event.preventDefault());
  } catch {
    // Only time is lost.
  }
}
