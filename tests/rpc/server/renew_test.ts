/** Tests of renew() of rpc/server/server.ts, and of revoked certificates. */
import assert from "node:assert/strict";
import http2 from "node:http2";
import { connect as connectTls } from "node:tls";
import type { CallContext } from "../../../proto/service.ts";
import type { JobStatus } from "../../../proto/teleport/v1/job_worker.ts";
import type { RpcClient, TlsCredentials } from "../../../rpc/client/client.ts";
import { TlsCredentialsError } from "../../../rpc/server/server.ts";
import {
  ca,
  clientCertificate,
  clientCredentials,
  credentials,
  issue,
  otherCa,
  revocationOf,
  serverCertificate,
  serverCredentials,
} from "../../support/certificates.ts";
import { aborted, connectTo, failure, serveLocally } from "../../support/rpc_server.ts";
import { deadline, eventually } from "../../support/deadline.ts";

const HOSTS = ["localhost", "127.0.0.1", "::1"];
const newServer = await issue({ subject: [["CN", "server"]], usage: "server", hosts: HOSTS, issuer: otherCa });
const newClient = await issue({ subject: [["O", "admin"], ["CN", "bob"]], usage: "client", issuer: otherCa });
const bothCas = `${ca.cert}\n${otherCa.cert}`;
const nothingRevoked = new Set<string>();

/** Handlers of streams that send one message for each tick(). */
function ticking() {
  let wake = Promise.withResolvers<void>();
  return {
    tick() {
      wake.resolve();
      wake = Promise.withResolvers<void>();
    },
    async *StatusStream({ id }: { id: string }, { signal }: CallContext): AsyncGenerator<{ id: string }> {
      yield { id };
      while (!signal.aborted) {
        await Promise.race([wake.promise, aborted(signal)]);
        if (!signal.aborted) yield { id };
      }
    },
  };
}

type Stream = AsyncIterator<JobStatus>;

/** Opens a stream, and reads its first message. */
async function opened(client: RpcClient): Promise<Stream> {
  const stream = client.calls.StatusStream({ id: "x" })[Symbol.asyncIterator]();
  assert.equal((await stream.next()).done, false);
  return stream;
}

async function answers(client: RpcClient): Promise<string> {
  return await client.calls.Status({ id: "y" }).then(({ id }) => id, ({ status }) => status);
}

/** Makes one call on a new connection. Returns its result or its status. */
async function once(server: { port: number }, own: TlsCredentials): Promise<string> {
  await using client = connectTo(server, own);
  return await answers(client);
}

const Status = ({ id }: { id: string }) => Promise.resolve({ id });

Deno.test("renew() changes the authority and keeps 50 open streams", async () => {
  const source = ticking();
  await using server = await serveLocally({ StatusStream: source.StatusStream, Status });
  await using one = connectTo(server);
  await using two = connectTo(server);
  const streams = await Promise.all(Array.from({ length: 50 }, (_, index) => opened(index % 2 ? one : two)));
  const alive = async () => {
    const next = streams.map((stream) => stream.next());
    source.tick();
    for (const { done } of await Promise.all(next)) assert.equal(done, false);
  };
  // These clients trust both authorities.
  const oldBoth = { ...clientCredentials, ca: bothCas };
  const newBoth = { ...credentials(otherCa, newClient), ca: bothCas };

  assert.deepEqual([await once(server, oldBoth), await once(server, newBoth)], ["y", "UNAVAILABLE"]);
  server.renew({ credentials: { ...serverCredentials, ca: bothCas }, revoked: nothingRevoked });
  assert.deepEqual([await once(server, oldBoth), await once(server, newBoth)], ["y", "y"]);
  await alive();
  server.renew({ credentials: { ca: bothCas, cert: newServer.cert, key: newServer.key }, revoked: nothingRevoked });
  assert.deepEqual([await once(server, oldBoth), await once(server, newBoth)], ["y", "y"]);
  await alive();
  server.renew({ credentials: credentials(otherCa, newServer), revoked: nothingRevoked });
  assert.deepEqual([await once(server, oldBoth), await once(server, newBoth)], ["UNAVAILABLE", "y"]);
  await alive();
  // On an old connection, streams continue and new calls are refused.
  assert.equal(await answers(one), "UNAUTHENTICATED");
  await alive();
  await Promise.all(streams.map((stream) => stream.return?.()));
});

Deno.test("renew() uses the new certificate for new connections, and keeps TLS 1.3", async () => {
  await using server = await serveLocally({ Status });
  server.renew({ credentials: { ca: bothCas, cert: newServer.cert, key: newServer.key }, revoked: nothingRevoked });
  // This client trusts only the old authority, which has not signed the new certificate.
  assert.equal(await once(server, clientCredentials), "UNAVAILABLE");
  const refused = await new Promise<string>((resolve) => {
    const socket = connectTls({
      port: server.port,
      host: "127.0.0.1",
      servername: "localhost",
      ca: bothCas,
      cert: newClient.cert,
      key: newClient.key,
      maxVersion: "TLSv1.2",
      ALPNProtocols: ["h2"],
    });
    socket.once("secureConnect", () => resolve("accepted"));
    socket.on("error", () => {});
    socket.once("close", () => resolve("refused"));
  });
  assert.equal(refused, "refused");
});

Deno.test("renew() throws for unusable credentials, and keeps the current ones", async () => {
  await using server = await serveLocally({ Status });
  const { ca: good, cert, key } = serverCredentials;
  const bad: TlsCredentials[] = [
    { ca: "", cert, key },
    { ca: `${good}\n${serverCertificate.cert}`, cert, key },
    { ca: good, cert: "hello", key },
    { ca: good, cert, key: newServer.key },
    { ca: `${good}\n`.repeat(17), cert, key },
  ];
  for (const broken of bad) {
    assert.throws(() => server.renew({ credentials: broken, revoked: nothingRevoked }), TlsCredentialsError);
    assert.equal(await once(server, clientCredentials), "y");
  }
});

const revoked = new Set([revocationOf(clientCertificate)]);

Deno.test("renew() ends the streams of a revoked client at once, and no others", async () => {
  const source = ticking();
  const refusals: [string, string][] = [];
  await using server = await serveLocally({ StatusStream: source.StatusStream, Status }, {
    onRefused: ({ certificate }, error) => refusals.push([certificate!.commonNames[0]!, (error as Error).message]),
    credentials: { ...serverCredentials, ca: bothCas },
  });
  await using ann = connectTo(server);
  await using bob = connectTo(server, { ...credentials(otherCa, newClient), ca: ca.cert });
  const [annStream, bobStream] = [await opened(ann), await opened(bob)];
  const cut = failure(annStream.next());
  server.renew({ credentials: { ...serverCredentials, ca: bothCas }, revoked });
  // Nothing else happens that could end the stream later: its source is quiet.
  assert.deepEqual(
    (({ status, message }) => ({ status, message }))(await deadline(cut, "the end of the stream")),
    { status: "UNAUTHENTICATED", message: "The certificate was revoked: ask for a new one" },
  );
  assert.equal(await answers(ann), "UNAUTHENTICATED");
  assert.equal(await once(server, clientCredentials), "UNAUTHENTICATED");
  assert.deepEqual(refusals.at(-1), ["ann", "The certificate was revoked: ask for a new one"]);
  const next = bobStream.next();
  source.tick();
  assert.equal((await next).done, false);
  assert.equal(await answers(bob), "y");
  await bobStream.return?.();
});

/** Resolves when the server has that number of connections. No event reports the end of one, so this polls. */
async function untilConnections(server: { readonly connections: number }, wanted: number): Promise<void> {
  await eventually(
    () => server.connections === wanted,
    () => `${wanted} connections, not ${server.connections}`,
  );
}

Deno.test(
  "renew() closes the connections of revoked clients that read nothing or make no call",
  async () => {
    const over = Promise.withResolvers<void>();
    await using server = await serveLocally({
      Status,
      GetOutput: async function* (_request, { signal }) {
        signal.addEventListener("abort", () => over.resolve(), { once: true });
        while (!signal.aborted) yield { data: new Uint8Array(256 * 1024) };
      },
    }, { credentials: { ...serverCredentials, ca: bothCas } });
    await using reader = connectTo(server);
    await using idle = connectTo(server);
    await using other = connectTo(server, { ...credentials(otherCa, newClient), ca: ca.cert });
    const stream = reader.calls.GetOutput({ id: "x" })[Symbol.asyncIterator]();
    await stream.next();
    assert.deepEqual([await answers(idle), await answers(other)], ["y", "y"]);
    await untilConnections(server, 3);
    server.renew({ credentials: { ...serverCredentials, ca: bothCas }, revoked });
    await deadline(over.promise);
    await untilConnections(server, 1);
    assert.equal(await answers(other), "y");
    // The reader gets the data that arrived before, and then an error.
    await assert.rejects(async () => {
      while (!(await stream.next()).done);
    }, (error: Error & { status?: string }) => /UNAUTHENTICATED|UNAVAILABLE|CANCELLED/.test(error.status ?? ""));
  },
);

Deno.test("a revoked client gets the reason over a slow network, and its connection is closed", async () => {
  await using server = await serveLocally({ Status }, { revoked });
  const open = async () => {
    const session = http2.connect(`https://localhost:${server.port}`, { ...clientCredentials });
    session.on("error", () => {});
    const closed = new Promise<void>((resolve) => session.once("close", () => resolve()));
    await deadline(new Promise((resolve) => session.once("remoteSettings", resolve)));
    return { session, closed };
  };
  const silent = await open();
  const { session, closed } = await open();
  // This is the round trip of a slow network, so that the wait has no event.
  await new Promise((resolve) => setTimeout(resolve, 600));
  const call = session.request({
    ":method": "POST",
    ":path": "/teleport.v1.JobWorker/Status",
    "content-type": "application/grpc",
    te: "trailers",
  });
  const answer = new Promise<Record<string, unknown>>((resolve, reject) => {
    call.once("response", resolve);
    call.once("error", reject);
    call.once("close", () => reject(new Error("The connection was cut without an answer")));
  });
  call.end(new Uint8Array(5));
  assert.equal((await answer)["grpc-status"], "16");
  call.resume();
  await Promise.all([closed, silent.closed]);
  await untilConnections(server, 0);
});

Deno.test("serve() refuses revoked certificates from the start", async () => {
  let reached = 0;
  await using server = await serveLocally({
    Status: ({ id }) => {
      reached++;
      return Promise.resolve({ id });
    },
  }, { revoked });
  assert.equal(await once(server, clientCredentials), "UNAUTHENTICATED");
  assert.equal(reached, 0);
});
