/** Reports how each call began and ended, for monitoring. A server without an observer pays nothing. */
import * as grpc from "@grpc/grpc-js";

/** Receives the begin and the end of each call. It must not throw and should be fast. */
export interface CallObserver {
  /** @param method the full name, always one that the server knows */
  begun(method: string): void;
  /**
   * @param code the canonical code, such as `OK`; `CANCELLED` when the client left first
   * @param durationMs from the request's headers to the status
   */
  ended(method: string, code: string, durationMs: number): void;
}

/** Makes the interceptor that reports to an observer. It must come first in the list, so that it sees refusals too. */
export function observeCalls(observer: CallObserver): grpc.ServerInterceptor {
  return (method, call) => {
    const startMs = performance.now();
    let isOver = false;
    const end = (code: string) => {
      if (isOver) return;
      isOver = true;
      observer.ended(method.path, code, performance.now() - startMs);
    };
    observer.begun(method.path);
    // Replaced on the call itself: a wrapper around the call would hide the connection that gate.ts looks for.
    const base = call as grpc.ServerInterceptingCallInterface;
    const { sendStatus, start } = base;
    base.sendStatus = (status) => {
      end(grpc.status[status.code ?? grpc.status.UNKNOWN] ?? "UNKNOWN");
      sendStatus.call(base, status);
    };
    base.start = (listener) => {
      start.call(base, {
        onReceiveMetadata: (metadata) => listener.onReceiveMetadata(metadata),
        onReceiveMessage: (message) => listener.onReceiveMessage(message),
        onReceiveHalfClose: () => listener.onReceiveHalfClose(),
        onCancel: () => {
          end("CANCELLED");
          listener.onCancel();
        },
      });
    };
    return call as grpc.ServerInterceptingCall;
  };
}
