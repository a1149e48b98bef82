/** Gathers entropy for the first TLS handshake of a process, while the program loads. */

/**
 * Starts to gather entropy on another thread. A client that makes one call should do it before it loads other modules.
 *
 * Deno's TLS uses AWS-LC, which seeds its generator from the jitter of the processor at the first use. Measured: 32 of
 * the 37 ms of a handshake. Deno makes keys of this kind on a thread of its pool, and all threads share the seed. It
 * makes most other keys on the main thread.
 */
export function gatherEntropy(): void {
  crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]).catch(() => {
    // The handshake gathers it and only takes longer.
  });
}
