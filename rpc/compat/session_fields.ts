/**
 * Finds the private fields of HTTP/2 sessions, whose keys are symbols that Deno does not export.
 *
 * Test: `tests/rpc/compat/session_writes_test.ts`.
 *
 * Source: https://github.com/denoland/deno/blob/v2.9.5/ext/node/polyfills/http2.ts
 */
import type { Http2Session } from "node:http2";

/** Returns a field. Undefined when it is not found. */
export function privateOf(session: Http2Session, name: string): unknown {
  const key = Object.getOwnPropertySymbols(session).find(({ description }) => description === name);
  return key === undefined ? undefined : (session as unknown as Record<symbol, unknown>)[key];
}
