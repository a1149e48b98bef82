/** Tests of rpc/server/auth_interceptor.ts: the stream of a refused call is closed. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { TeleportError } from "../../../mod.ts";
import { type RawCall, rawClient, type RawEnd } from "../../support/raw_client.ts";
import { clientCredentials } from "../../support/certificates.ts";
import { deadline } from "../../support/deadline.ts";
import { serveLocally } from "../../support/rpc_server.ts";

const STATUS = "/teleport.v1.JobWorker/Status";

/** Returns how a call ended, after its stream is closed. Fails when the stream stays open. */
async function closed({ stream, ended }: RawCall): Promise<RawEnd> {
  if (!stream.closed) await deadline(once(stream, "close"), "the end of a stream");
  return await ended;
}

Deno.test("authInterceptor() closes the stream of a refused call whose request never ends", async () => {
  await using server = await serveLocally({}, {
    admit: () => {
      throw new TeleportError("PERMISSION_DENIED", "Not allowed");
    },
  });
  await using client = await rawClient({ port: server.port, ...clientCredentials });
  const { code, message, resetCode } = await closed(client.call(STATUS, [], false));
  assert.deepEqual({ code, message, resetCode }, { code: 7, message: "Not allowed", resetCode: 0 });
});

Deno.test("authInterceptor() closes the stream of a call beyond a limit whose request never ends", async () => {
  await using server = await serveLocally({}, { limits: { maxCalls: 1 } });
  await using client = await rawClient({ port: server.port, ...clientCredentials });
  client.call(STATUS, [], false);
  const { code, resetCode } = await closed(client.call(STATUS, [], false));
  assert.deepEqual({ code, resetCode }, { code: 8, resetCode: 0 });
});
