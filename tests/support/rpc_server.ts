/** A server whose handlers a test gives, and a client of it. */
import type { JobWorkerHandlers } from "../../proto/service.ts";
import { connect, type RpcClient, type TlsCredentials } from "../../rpc/client/client.ts";
import { type RpcServer, serve, type ServeOptions } from "../../rpc/server/server.ts";
import { clientCredentials, serverCredentials } from "./certificates.ts";

/** Completes some handlers with handlers that fail. */
function handlers(some: Partial<JobWorkerHandlers>): JobWorkerHandlers {
  const refuse = () => Promise.reject(new Error("This test has no such handler"));
  // deno-lint-ignore require-yield
  const refuseStream = async function* (): AsyncGenerator<never> {
    await refuse();
  };
  return {
    Register: refuse,
    Start: refuseStream,
    StatusStream: refuseStream,
    Status: refuse,
    Stop: refuse,
    GetOutput: refuseStream,
    Signal: refuse,
    Pause: refuse,
    Resume: refuse,
    Resize: refuse,
    Input: refuse,
    List: refuse,
    Remove: refuse,
    WhoAmI: refuse,
    CanI: refuse,
    Info: refuse,
    WatchJobs: refuseStream,
    ...some,
  };
}

/** Starts a server on a free port. */
export function serveLocally(
  some: Partial<JobWorkerHandlers>,
  options: Partial<Omit<ServeOptions, "handlers">> = {},
): Promise<RpcServer> {
  return serve({ host: "127.0.0.1", port: 0, credentials: serverCredentials, handlers: handlers(some), ...options });
}

/** A handler that reads an input and drops it. */
export async function dropInput(requests: AsyncIterable<unknown>): Promise<Record<never, never>> {
  for await (const _ of requests);
  return {};
}

/** Connects a client to a server on this machine. */
export function connectTo(server: { port: number }, credentials: TlsCredentials = clientCredentials): RpcClient {
  return connect({ address: `127.0.0.1:${server.port}`, credentials });
}

/** Resolves when the signal aborts, or at once when it has. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Gives the error of a call that must fail. */
export async function failure(call: Promise<unknown>): Promise<{ status: string; message: string; code?: string }> {
  let answer;
  try {
    answer = await call;
  } catch (error) {
    return error as { status: string; message: string; code?: string };
  }
  throw new Error(`The call was answered: ${JSON.stringify(answer)}`);
}

/** Reads a stream to its end and gives all its items. */
export async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}
