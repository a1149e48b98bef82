/** The last net under `teleportd`: what happens to an error that nothing has caught. */
import { describe } from "./server_environment.ts";

/** Of a loop of errors the first few say what happened. */
const MAX_LOGGED = 10;

/** What an uncaught exception does. */
export interface UncaughtOptions {
  /** Writes a line into the log; never throws. */
  readonly tell: (line: string) => void;
  /** Begins to stop as on SIGTERM. Called once. */
  readonly stop: () => void;
  /** Ends what is left without waiting. Called once, when stopping has taken too long. */
  readonly hurry: () => void;
  /** How long an orderly end may take, in milliseconds. */
  readonly stopTimeoutMs: number;
}

/** What was seen. */
export interface Uncaught extends Disposable {
  /** True after an uncaught exception. */
  readonly failed: boolean;
}

/**
 * Listens from now on. An exception has left something half done, so the server stops in order. A rejected promise that
 * nobody waits for has ended its own work only: it is logged, and the server serves on, because clients can cause one
 * inside grpc-js.
 */
export function onUncaught({ tell, stop, hurry, stopTimeoutMs }: UncaughtOptions): Uncaught {
  let exceptions = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    exceptions += 1;
    if (exceptions <= MAX_LOGGED) tell(`uncaught exception: ${describe(event.error ?? event.message)}`);
    if (exceptions > 1) return;
    timer = setTimeout(hurry, stopTimeoutMs);
    stop();
  };
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    tell(`internal error: ${describe(event.reason)}`);
  };
  globalThis.addEventListener("error", onError);
  globalThis.addEventListener("unhandledrejection", onRejection);
  return {
    get failed() {
      return exceptions > 0;
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      globalThis.removeEventListener("error", onError);
      globalThis.removeEventListener("unhandledrejection", onRejection);
    },
  };
}
