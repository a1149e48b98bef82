/** Hostile servers: the command line reports one sentence without a stack, and exits. */
import assert from "node:assert/strict";
import { CallError, connect } from "../../rpc/client/client.ts";
import { ca, clientCertificate, clientCredentials, serverCertificate } from "../support/certificates.ts";
import { hostileAnswer } from "../torture/frames.ts";
import { Random } from "../support/random.ts";
import { teleport } from "../support/programs.ts";
import { tempDir } from "../support/temp_dir.ts";

const SEED = 11;
const RANDOM_SERVERS = 80;

/** True where the server is silent after its TLS handshake until the client has written. */
interface HostileServer extends AsyncDisposable {
  readonly port: number;
}

/** Starts a server that writes these bytes after the client's first bytes, and closes the connection. */
function serveHostile(answer: () => readonly Uint8Array[], tls = true): HostileServer {
  const at = { hostname: "127.0.0.1", port: 0 };
  const { cert, key } = serverCertificate;
  const listener = tls ? Deno.listenTls({ ...at, cert, key, alpnProtocols: ["h2"] }) : Deno.listen(at);
  const open = new Set<Promise<void>>();
  const serve = async (connection: Deno.Conn) => {
    const buffer = new Uint8Array(65_536);
    const close = () => {
      try {
        connection.close();
      } catch {
        // The listener is closed.
      }
    };
    let timer;
    try {
      for (const bytes of answer()) {
        await connection.read(buffer);
        for (let written = 0; written < bytes.length;) written += await connection.write(bytes.subarray(written));
      }
      // Reads the client's answer for a moment.
      timer = setTimeout(close, 50);
      while (await connection.read(buffer) !== null);
    } catch {
      // The client may have left.
    }
    clearTimeout(timer);
    close();
  };
  const serving = (async () => {
    for await (const connection of listener) {
      const served = serve(connection).finally(() => open.delete(served));
      open.add(served);
    }
  })();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
      await Promise.all(open);
    },
  };
}

const bytes = (...numbers: number[]) => Uint8Array.from(numbers);
const SETTINGS = bytes(0, 0, 0, 4, 0, 0, 0, 0, 0);
const after = (...frames: Uint8Array[]) => [SETTINGS, ...frames];

const ANSWERS: readonly [name: string, answer: readonly Uint8Array[], tls?: boolean][] = [
  ["speaks no TLS", [new TextEncoder().encode("SSH-2.0-OpenSSH_9.2\r\n")], false],
  ["writes garbage in place of TLS", [new Random(SEED).bytes(500)], false],
  ["closes at once", [], false],
  ["closes after TLS", []],
  ["writes garbage in place of HTTP/2", [new Random(SEED).bytes(500)]],
  ["sends SETTINGS of a wrong length", [bytes(0, 0, 3, 4, 0, 0, 0, 0, 0, 1, 2, 3)]],
  ["acknowledges a PING that nobody sent", after(bytes(0, 0, 8, 6, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8))],
  ["goes away in the middle of a call", after(bytes(0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))],
  ["goes away with an error", after(bytes(0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2))],
  ["resets the call", after(bytes(0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 2))],
  ["resets a call that there is not", after(bytes(0, 0, 4, 3, 0, 0, 0, 0, 7, 0, 0, 0, 1))],
  ["sends headers that cannot be decoded", after(bytes(0, 0, 3, 1, 4, 0, 0, 0, 1, 0xff, 0xff, 0xff))],
  ["answers without a type", after(bytes(0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88))],
  ["sends data before headers", after(bytes(0, 0, 1, 0, 1, 0, 0, 0, 1, 0))],
];

/** The cases that may also count as a failed call. */
const ANSWERED: ReadonlySet<string> = new Set([
  "answers without a type",
  "resets the call",
  "sends data before headers",
]);

Deno.test("teleport reports one sentence for a hostile server and exits with 255 or 1", async () => {
  await using temporary = await tempDir();
  const dir = temporary.path;
  await Deno.mkdir(`${dir}/certs`, { mode: 0o700 });
  await Deno.writeTextFile(`${dir}/certs/ca.crt`, ca.cert);
  await Deno.writeTextFile(`${dir}/certs/admin.crt`, clientCertificate.cert);
  await Deno.writeTextFile(`${dir}/certs/admin.key`, clientCertificate.key, { mode: 0o600 });
  for (const [name, answer, tls] of ANSWERS) {
    await using server = serveHostile(() => answer, tls);
    const at = { address: `127.0.0.1:${server.port}`, dir };
    for (const args of [["list"], ["logs", "-f", "--retry-for", "0s", "0190a1b2-0000-7000-8000-000000000000"]]) {
      const { code, stdout, stderr } = await teleport(at, ...args);
      assert.ok(code === 255 || (code === 1 && ANSWERED.has(name)), `${name}, ${args[0]}: ${code} ${stderr}`);
      assert.equal(stdout, "", name);
      assert.match(stderr, /^teleport: \S.*\n$/s, name);
      assert.doesNotMatch(stderr, /\n +at |[Uu]ncaught|panicked/, `${name}: ${stderr}`);
    }
  }
});

Deno.test(`a client survives ${RANDOM_SERVERS} servers that send random frames (seed ${SEED})`, async () => {
  const random = new Random(SEED);
  await using server = serveHostile(() => hostileAnswer(random));
  for (let count = 0; count < RANDOM_SERVERS; count++) {
    await using client = connect({ address: `127.0.0.1:${server.port}`, credentials: clientCredentials });
    const ends = await Promise.allSettled([
      client.calls.Status({ id: "a" }, { deadlineMs: 5_000 }),
      Array.fromAsync(client.calls.GetOutput({ id: "a" }, { deadlineMs: 5_000 })),
    ]);
    for (const end of ends) {
      assert.ok(end.status === "fulfilled" || end.reason instanceof CallError, `connection ${count}: ${String(end)}`);
    }
  }
});
