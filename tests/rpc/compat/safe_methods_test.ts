/** Tests of rpc/compat/safe_methods.ts. Every method throws in turn. */
import { broken, type SESSION_METHODS, type STREAM_METHODS } from "./breakable_runtime.ts";
import { nextVictim, stage } from "./stage.ts";
import assert from "node:assert/strict";
import type http2 from "node:http2";

const CALLS_OF_STREAM: readonly [
  method: typeof STREAM_METHODS[number],
  call: (stream: http2.ServerHttp2Stream) => unknown,
][] = [
  ["respond", (stream) => stream.respond({ ":status": 200 })],
  ["additionalHeaders", (stream) => stream.additionalHeaders({ ":status": 103 })],
  ["pushStream", (stream) => stream.pushStream({ ":path": "/" }, () => {})],
  ["sendTrailers", (stream) => stream.sendTrailers({ a: "b" })],
  ["setTimeout", (stream) => stream.setTimeout(1_000)],
  ["close", (stream) => stream.close()],
  ["write", (stream) => stream.write(new Uint8Array(4))],
  ["end", (stream) => stream.end(new Uint8Array(4))],
];

Deno.test(
  "makeStreamMethodsSafe() makes every method of a stream safe: open, destroyed, and when the runtime throws",
  async () => {
    await using at = await stage();
    for (const [name, call] of CALLS_OF_STREAM) {
      const opened = nextVictim(at.server);
      const used = at.use();
      const { stream } = await opened;
      broken.method = `stream.${name}`;
      call(stream);
      broken.method = undefined;
      await at.counted(`stream.${name}()`);
      await used;
      assert.equal(stream.destroyed, true, "An error of the runtime ends the stream");
      const before = new Map(at.counts);
      for (const [, other] of CALLS_OF_STREAM) other(stream);
      stream.destroy();
      await at.serves();
      // The peer has ended the stream, which is not an error.
      for (const kind of ["stream.respond()", "stream.sendTrailers()", "stream.pushStream()"]) {
        assert.equal(at.counts.get(kind), before.get(kind), kind);
      }
    }
  },
);

const CALLS_OF_SESSION: readonly [
  method: typeof SESSION_METHODS[number],
  call: (session: http2.ServerHttp2Session) => unknown,
][] = [
  ["ping", (session) => session.ping(() => {})],
  ["settings", (session) => session.settings({}, () => {})],
  ["goaway", (session) => session.goaway()],
  ["setLocalWindowSize", (session) => session.setLocalWindowSize(100_000)],
  ["setTimeout", (session) => session.setTimeout(1_000)],
];

Deno.test("makeSessionMethodsSafe() makes every method of a session safe: destroyed, and when the runtime throws", async () => {
  await using at = await stage();
  for (const [name, call] of CALLS_OF_SESSION) {
    const opened = nextVictim(at.server);
    const used = at.use();
    const { session } = await opened;
    broken.method = `session.${name}`;
    call(session);
    broken.method = undefined;
    await at.counted(`session.${name}()`);
    await used;
    assert.equal(session.destroyed, true, "An error of the runtime ends the session");
    for (const [, other] of CALLS_OF_SESSION) other(session);
    session.close();
    session.destroy();
    await at.serves();
  }
});
