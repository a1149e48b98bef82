/** Tests for the end of a connection whose calls have ended. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { ServerHttp2Session } from "node:http2";
import type { Connection } from "../../../../rpc/server/connections/connection.ts";
import { closeWhenDrained } from "../../../../rpc/server/connections/drain.ts";
import { deadline } from "../../../support/deadline.ts";

Deno.test("closeWhenDrained() closes once, and adds nothing for each call that ends before", async () => {
  const closed = Promise.withResolvers<void>();
  let closes = 0;
  const session = Object.assign(new EventEmitter(), {
    close() {
      closes += 1;
      closed.resolve();
    },
  });
  const connection = { open: 0, endedAtMs: performance.now() } as Connection;
  // A client that tries again on the same connection ends many calls while the connection drains.
  for (let call = 0; call < 20; call++) closeWhenDrained(session as unknown as ServerHttp2Session, connection);
  assert.equal(session.listenerCount("close"), 0);
  await deadline(closed.promise, "the close");
  assert.deepEqual([closes, connection.drainTimer], [1, undefined]);
});
