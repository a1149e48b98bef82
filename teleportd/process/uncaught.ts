/** Handles errors that no code has caught. */
import type { Logger } from "../../base/logger.ts";
import { defectFields, defectText } from "../log/error_fields.ts";
import { LimitedLog } from "../log/limited_log.ts";

/** The most uncaught exceptions that are logged. The first ones of a loop say what happened. */
const MAX_LOGGED = 10;

/** The default of `stopTimeoutMs`. */
const STOP_MS = 30_000;

/** Options of {@linkcode handleUncaught}. */
export interface UncaughtOptions {
  readonly log: Logger;
  /** Begins an orderly stop, as SIGTERM does. Called once. */
  readonly stop: () => void;
  /** Ends what is left at once. Called once, when the stop has taken too long. */
  readonly hurry: () => void;
  /** How long the orderly stop may take, in milliseconds. Default: 30,000, because most jobs have a grace of 10 s. */
  readonly stopTimeoutMs?: number;
}

/** The errors so far. */
export interface Uncaught extends Disposable {
  /** True after an uncaught exception. */
  readonly hasException: boolean;
}

/**
 * Handles uncaught errors of this process until it is disposed of. An exception has interrupted some work half way, so the
 * server stops in order. A rejected promise that nobody awaits has ended only its own work, and clients can cause one
 * inside grpc-js. The server logs at most one a second, and
 * continues.
 */
export function handleUncaught({ log, stop, hurry, stopTimeoutMs = STOP_MS }: UncaughtOptions): Uncaught {
  let exceptions = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    const error = event.error ?? event.message;
    exceptions += 1;
    if (exceptions <= MAX_LOGGED) log.error(`Uncaught exception: ${defectText(error)}`, defectFields(error));
    if (exceptions > 1) return;
    timer = setTimeout(hurry, stopTimeoutMs);
    stop();
  };
  const rejections = new LimitedLog({ warn: (message, fields) => log.error(message, fields) });
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    const message = `Internal error, unhandled rejection: ${defectText(event.reason)}`;
    rejections.warn("UNHANDLED_REJECTION", message, defectFields(event.reason));
  };
  globalThis.addEventListener("error", onError);
  globalThis.addEventListener("unhandledrejection", onRejection);
  return {
    get hasException() {
      return exceptions > 0;
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      rejections[Symbol.dispose]();
      globalThis.removeEventListener("error", onError);
      globalThis.removeEventListener("unhandledrejection", onRejection);
    },
  };
}
