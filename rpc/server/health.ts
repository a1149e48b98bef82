/** The standard health service, grpc.health.v1. */
import type { CallContext } from "../../proto/service.ts";
import type { Server } from "@grpc/grpc-js";
import { deadline } from "../../base/deadline.ts";
import { onAbort } from "../../base/on_abort.ts";
import type { OpenCalls } from "./adapter/calls.ts";
import { serverStreamingHandler } from "./adapter/server_streaming.ts";
import { unaryHandler } from "./adapter/unary.ts";
import { healthMethods, type ServingStatus } from "../shared/health_definition.ts";
import { StatusError } from "./status_error.ts";
import { withRawRequests } from "./adapter/read_request.ts";

interface Request {
  service: string;
}

/** The time between two checks by an open watch, in milliseconds. A part that hangs causes no event. */
const WATCH_CHECK_MS = 5_000;

/** Answers for a fixed set of services, which all have the same status. */
export class Health {
  readonly #services: ReadonlySet<string>;
  readonly #onAsked: () => void;
  #status: ServingStatus = "SERVING";
  #closed = false;
  readonly #waiting = new Set<() => void>();

  /** @param onAsked called for each question, and again and again while a watch is open. Must return at once */
  constructor(services: Iterable<string>, onAsked: () => void) {
    this.#services = new Set(services);
    this.#onAsked = onAsked;
  }

  /** Sets the status of all services. */
  setServing(serving: boolean): void {
    this.#status = serving ? "SERVING" : "NOT_SERVING";
    for (const wake of this.#waiting) wake();
  }

  /** Sends NOT_SERVING to all watches, and ends them. */
  close(): void {
    this.#closed = true;
    this.setServing(false);
  }

  /** Adds the service to a server. */
  addTo(server: Server, calls: OpenCalls): void {
    const { Check, List, Watch } = healthMethods();
    const raw = { Check: withRawRequests(Check), List: withRawRequests(List), Watch: withRawRequests(Watch) };
    server.addService(raw, {
      Check: unaryHandler(Check, ({ service }: Request) => this.#check(service), calls),
      List: unaryHandler(List, () => this.#list(), calls),
      Watch: serverStreamingHandler(Watch, ({ service }: Request, context) => this.#watch(service, context), calls),
    });
  }

  #check(service: string): Promise<object> {
    this.#onAsked();
    if (this.#services.has(service)) return Promise.resolve({ status: this.#status });
    const known = [...this.#services].map((name) => JSON.stringify(name)).join(", ");
    return Promise.reject(
      new StatusError("NOT_FOUND", `Unknown service ${JSON.stringify(service)}: ask for one of ${known}`),
    );
  }

  #list(): Promise<object> {
    this.#onAsked();
    return Promise.resolve({
      statuses: Object.fromEntries([...this.#services].map((name) => [name, { status: this.#status }])),
    });
  }

  async *#watch(service: string, { signal }: CallContext): AsyncGenerator<object> {
    let sent: ServingStatus | undefined;
    while (!signal.aborted) {
      const status = this.#services.has(service) ? this.#status : "SERVICE_UNKNOWN";
      if (status !== sent) {
        sent = status;
        yield { status };
        // The status may have changed during the send.
        continue;
      }
      if (this.#closed) {
        throw new StatusError("UNAVAILABLE", "The server is shutting down: watch again when it is back");
      }
      this.#onAsked();
      await this.#change(signal);
    }
  }

  /** Resolves at the next change, when it is time to check again, or when the call is over. */
  async #change(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    using _aborted = onAbort(signal, resolve);
    this.#waiting.add(resolve);
    await deadline(promise, WATCH_CHECK_MS);
    this.#waiting.delete(resolve);
  }
}
