/** Tests of rpc/server/receive_window.ts: the window of a client grows while its requests are read. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { ServerHttp2Session } from "node:http2";
import { SenderWindows } from "../../../rpc/server/receive_window.ts";
import { connectTo, dropInput, serveLocally } from "../../support/rpc_server.ts";

const NARROW = 512 * 1024;
const WIDE = 2 * 1024 * 1024;

/** A session that records the windows that it was given. */
class FakeSession extends EventEmitter {
  destroyed = false;
  pendingSettingsAck = false;
  readonly windows: number[] = [];

  settings({ initialWindowSize }: { initialWindowSize: number }): void {
    this.windows.push(initialWindowSize);
  }

  setLocalWindowSize(bytes: number): void {
    assert.equal(bytes, this.windows.at(-1));
  }
}

function adjust(windows: SenderWindows, session: FakeSession, calls: number, readBytes: number): void {
  windows.adjust(session as unknown as ServerHttp2Session, calls, readBytes);
}

Deno.test("SenderWindows.adjust() widens a window once much was read, and narrows it when many calls are open", () => {
  const windows = new SenderWindows();
  const session = new FakeSession();
  adjust(windows, session, 1, WIDE - 1);
  adjust(windows, session, 5, WIDE);
  assert.deepEqual(session.windows, []);
  adjust(windows, session, 4, WIDE);
  adjust(windows, session, 4, 2 * WIDE);
  adjust(windows, session, 1, 0);
  assert.deepEqual(session.windows, [WIDE]);
  session.pendingSettingsAck = true;
  adjust(windows, session, 5, 0);
  assert.deepEqual(session.windows, [WIDE]);
  session.pendingSettingsAck = false;
  adjust(windows, session, 5, 0);
  adjust(windows, session, 5, WIDE);
  assert.deepEqual(session.windows, [WIDE, NARROW]);
  adjust(windows, session, 3, WIDE);
  assert.deepEqual(session.windows, [WIDE, NARROW, WIDE]);
  assert.equal(session.listenerCount("close"), 1);
});

Deno.test("SenderWindows.adjust() widens a bounded number of windows, until connections end", () => {
  const windows = new SenderWindows();
  const sessions = Array.from({ length: 17 }, () => new FakeSession());
  for (const session of sessions) adjust(windows, session, 1, WIDE);
  assert.deepEqual(sessions.map((session) => session.windows.length), [...Array(16).fill(1), 0]);
  sessions[3]?.emit("close");
  adjust(windows, sessions[16]!, 1, WIDE);
  assert.deepEqual(sessions[16]?.windows, [WIDE]);
});

Deno.test("A server and its client agree on a wider window while a call is read", async () => {
  const { adjust } = SenderWindows.prototype;
  let session: ServerHttp2Session | undefined;
  SenderWindows.prototype.adjust = function (given, ...rest) {
    session = given;
    adjust.call(this, given, ...rest);
  };
  try {
    await using server = await serveLocally({
      Input: dropInput,
    });
    await using client = connectTo(server);
    await client.calls.Input((async function* () {
      for (let sent = 0; session?.localSettings.initialWindowSize !== WIDE; sent += 100_000) {
        assert.ok(sent < 50 * WIDE, "The window does not grow");
        yield { data: new Uint8Array(100_000) };
      }
    })());
  } finally {
    SenderWindows.prototype.adjust = adjust;
  }
});
