/** Reports the start and the end of each call, for monitoring. A server without an observer does no work for it. */
import { type ServerInterceptor, status } from "@grpc/grpc-js";
import { onCallEnd, passThrough } from "../compat/grpc_call.ts";

/** Receives the start and the end of each call. It must not throw, and should be fast. */
export interface CallObserver {
  /** @param method the path of the method; the server knows it */
  begun(method: string): void;
  /**
   * @param method the path of the method
   * @param code the canonical code, such as `OK`; `CANCELLED` when the client left first
   * @param durationMs the time from the request's headers to the status, in milliseconds
   */
  ended(method: string, code: string, durationMs: number): void;
}

/** Returns the interceptor that reports to an observer. It must be first in the list, to observe refused calls too. */
export function observeCalls(observer: CallObserver): ServerInterceptor {
  return (method, call) => {
    const startMs = performance.now();
    let isOver = false;
    observer.begun(method.path);
    onCallEnd(call, (code) => {
      if (isOver) return;
      isOver = true;
      observer.ended(method.path, status[code] ?? "UNKNOWN", performance.now() - startMs);
    });
    return passThrough(call);
  };
}
