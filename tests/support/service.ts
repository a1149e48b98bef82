/** The service in this process, with a real supervisor. A test calls it as the wire does, with any certificate. */
import { Supervisor } from "../../mod.ts";
import type { CallContext, CallName, CallOptions, JobWorkerClient, PeerCertificate } from "../../proto/service.ts";
import { methods } from "../../rpc/shared/definition.ts";
import { SERVICE_NAME } from "../../rpc/shared/message_form.ts";
import { createService, type Service } from "../../service/handlers/service.ts";
import { defined } from "../../base/defined.ts";

/** A service with jobs of its own. Disposal ends them. */
export interface TestService extends AsyncDisposable {
  readonly supervisor: Supervisor;
  readonly service: Service;
  /** Gives the calls of one caller. Each is admitted, encoded and decoded as on the wire. */
  as(certificate: PeerCertificate | undefined): JobWorkerClient;
}

/** Makes the certificate of a user with roles. */
export function certificateOf(user: string, ...roles: string[]): PeerCertificate {
  return {
    commonNames: [user],
    organizations: roles,
    isAuthority: false,
    issuer: "CN=an authority",
    serialNumber: "01",
    fingerprint: "00".repeat(32),
    notAfter: new Date(Date.now() + 86_400_000),
  };
}

/** Makes the context of a call. */
export function contextOf(
  method: string,
  certificate: PeerCertificate | undefined,
  signal: AbortSignal = new AbortController().signal,
): CallContext {
  return { signal, method, peer: "127.0.0.1:1", ...defined({ certificate }) };
}

/** Gives the full name of a call. */
export function methodOf(call: CallName): string {
  return `/${SERVICE_NAME}/${call}`;
}

/** Starts a service whose jobs run on this machine. */
export function startService(): TestService {
  const supervisor = new Supervisor({ closeGraceMs: 100 });
  const service = createService(supervisor);
  return {
    supervisor,
    service,
    as: (certificate) => clientOf(service, certificate),
    [Symbol.asyncDispose]: () => supervisor.close(),
  };
}

type Handler = (request: object, context: CallContext) => Promise<object> | AsyncIterable<object>;

/** Gives the calls of a service for one caller. */
export function clientOf(service: Service, certificate: PeerCertificate | undefined): JobWorkerClient {
  const calls = Object.entries(methods).map(([name, method]) => {
    const begin = (message: object, { signal }: CallOptions) => {
      const context = contextOf(method.path, certificate, signal);
      service.admit(context);
      const request = method.requestDeserialize(method.requestSerialize(message));
      return (service.handlers[name as CallName] as Handler)(request, context);
    };
    const received = (answer: object) => method.responseDeserialize(method.responseSerialize(answer));
    async function one(message: object, options: CallOptions = {}): Promise<object> {
      return received(await (begin(message, options) as Promise<object>));
    }
    async function* many(message: object, options: CallOptions = {}): AsyncGenerator<object> {
      for await (const answer of begin(message, options) as AsyncIterable<object>) yield received(answer);
    }
    async function collecting(messages: AsyncIterable<object>, { signal }: CallOptions = {}): Promise<object> {
      const context = contextOf(method.path, certificate, signal);
      service.admit(context);
      async function* sent() {
        for await (const message of messages) yield method.requestDeserialize(method.requestSerialize(message));
      }
      return received(await (service.handlers[name as CallName] as Handler)(sent(), context) as object);
    }
    return [name, method.requestStream ? collecting : method.responseStream ? many : one];
  });
  return Object.fromEntries(calls) as JobWorkerClient;
}

/** Gives the error code of a call, or `OK`. */
export async function codeOf(call: () => Promise<unknown>): Promise<string> {
  try {
    await call();
    return "OK";
  } catch (error) {
    if (error instanceof Error && "code" in error) return String(error.code);
    throw error;
  }
}

/** Reads a stream to its end and gives all its items. */
export async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** Gives the items as a stream. */
export async function* once<T>(...items: T[]): AsyncGenerator<T> {
  yield* items;
}

/** Reads the first message of a stream and leaves the stream. */
export async function first<T>(stream: AsyncIterable<T>): Promise<T> {
  for await (const item of stream) return item;
  throw new Error("The stream ended without a message");
}
