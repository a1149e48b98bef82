/**
 * Lets a test make methods of the runtime's HTTP/2 streams and sessions throw. Import it before the guard, which keeps
 * references to the methods.
 */
import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { deferClosing } from "../../../rpc/compat/session_closing.ts";

/** The method that currently throws, such as `stream.respond`. */
export const broken: { method?: string | undefined } = {};

/** The methods of streams that a test can break. */
export const STREAM_METHODS = [
  "respond",
  "additionalHeaders",
  "pushStream",
  "sendTrailers",
  "setTimeout",
  "close",
  "write",
  "end",
] as const;

/** The methods of sessions that a test can break. */
export const SESSION_METHODS = ["ping", "settings", "goaway", "setLocalWindowSize", "setTimeout"] as const;

function makeBreakable(prototype: object, place: string, names: readonly string[]): void {
  for (const name of names) {
    const found = (prototype as Record<string, (...args: unknown[]) => unknown>)[name]!;
    Object.defineProperty(prototype, name, {
      configurable: true,
      writable: true,
      value(...args: unknown[]) {
        if (broken.method === `${place}.${name}`) throw new Error("injected");
        return found.apply(this, args);
      },
    });
  }
}

// The classes are not exported, so the test takes their prototypes from instances.
const server = http2.createServer();
server.on("session", deferClosing);
server.listen(0, "127.0.0.1");
await once(server, "listening");
const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
deferClosing(session);
const opened = once(server, "stream") as Promise<[http2.ServerHttp2Stream]>;
session.request({ ":path": "/" }).resume();
const [stream] = await opened;
makeBreakable(Object.getPrototypeOf(stream), "stream", STREAM_METHODS);
makeBreakable(Object.getPrototypeOf(stream.session), "session", SESSION_METHODS);
stream.respond({ ":status": 200 }, { endStream: true });
await once(stream, "close");
session.close();
server.close();
await once(session, "close");
