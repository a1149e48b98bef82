/** Tests of rpc/compat/listen_socket.ts, and of the fault of node:net that it exists for. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { SystemCallError } from "../../../rpc/compat/socket_calls.ts";
import { ListenSocket } from "../../../rpc/compat/listen_socket.ts";

const LOCAL = { host: "127.0.0.1", port: 0 };

/** Returns a listening socket that its block closes. */
function open(address = LOCAL) {
  const socket = new ListenSocket(address);
  return { socket, [Symbol.dispose]: () => socket.close() };
}

async function connected(port: number, host = "127.0.0.1"): Promise<Socket> {
  const client = connect(port, host);
  await new Promise((resolve) => client.once("connect", resolve));
  return client;
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise<void>((resolve) => socket.once("close", () => resolve()).destroy());
}

Deno.test("accept() returns a connection, and arrived() inspects its data without reading it", async () => {
  using listening = open();
  const { socket } = listening;
  assert.equal(socket.accept(), undefined);
  const client = await connected(socket.address.port);
  assert.deepEqual(await socket.wait([], true, 5_000), { listener: true, descriptors: [] });
  const accepted = socket.accept();
  assert.ok(accepted);
  assert.deepEqual(accepted.peer, { host: "127.0.0.1", port: client.localPort });
  assert.equal(socket.arrived(accepted.descriptor), "NOTHING");
  client.write("hello");
  const { descriptor } = accepted;
  assert.deepEqual(await socket.wait([descriptor], true, 5_000), { listener: false, descriptors: [descriptor] });
  assert.equal(socket.arrived(descriptor), "RECORD");
  const server = socket.socketOf(descriptor);
  const text = await new Promise((resolve) => server.once("data", (bytes) => resolve(String(bytes))));
  assert.equal(text, "hello");
  await closed(client);
  await closed(server);
});

Deno.test("wait() returns a connection only when its TLS record is complete", async () => {
  using listening = open();
  const { socket } = listening;
  const client = await connected(socket.address.port);
  client.setNoDelay(true);
  await socket.wait([], true, 5_000);
  const { descriptor } = socket.accept()!;
  // The client sends a record of 300 bytes in parts.
  client.write(Uint8Array.of(22, 3, 1));
  await socket.wait([descriptor], false, 5_000);
  assert.equal(socket.arrived(descriptor), "NOTHING");
  client.write(Uint8Array.of(1, 44));
  assert.deepEqual((await socket.wait([descriptor], false, 5_000)).descriptors, [descriptor]);
  assert.equal(socket.arrived(descriptor), "NOTHING");
  client.write(new Uint8Array(299));
  assert.deepEqual((await socket.wait([descriptor], false, 200)).descriptors, []);
  client.write(new Uint8Array(1));
  assert.deepEqual((await socket.wait([descriptor], false, 5_000)).descriptors, [descriptor]);
  assert.equal(socket.arrived(descriptor), "RECORD");
  const server = socket.socketOf(descriptor);
  let bytes = 0;
  await new Promise<void>((resolve) =>
    server.on("data", (data) => {
      bytes += data.length;
      if (bytes === 305) client.write("x");
      if (bytes === 306) resolve();
    })
  );
  await closed(client);
  await closed(server);
});

Deno.test("arrived() returns END for a record that the client cut", async () => {
  using listening = open();
  const { socket } = listening;
  const client = await connected(socket.address.port);
  await socket.wait([], true, 5_000);
  const { descriptor } = socket.accept()!;
  client.end(Uint8Array.of(22, 3, 1, 1, 44, 1));
  await socket.wait([descriptor], false, 5_000);
  assert.equal(socket.arrived(descriptor), "NOTHING");
  assert.deepEqual((await socket.wait([descriptor], false, 5_000)).descriptors, [descriptor]);
  assert.equal(socket.arrived(descriptor), "END");
  socket.end(descriptor);
  await closed(client);
});

Deno.test("arrived() returns END for a silent connection that was closed", async () => {
  using listening = open();
  const { socket } = listening;
  const client = await connected(socket.address.port);
  await socket.wait([], true, 5_000);
  const { descriptor } = socket.accept()!;
  await closed(client);
  assert.deepEqual((await socket.wait([descriptor], false, 5_000)).descriptors, [descriptor]);
  assert.equal(socket.arrived(descriptor), "END");
  socket.end(descriptor);
});

Deno.test("wait() ends at wake(), and when its time has passed", async () => {
  using listening = open();
  const { socket } = listening;
  const waiting = socket.wait([], true, undefined);
  socket.wake();
  assert.deepEqual(await waiting, { listener: false, descriptors: [] });
  assert.deepEqual(await socket.wait([], true, 10), { listener: false, descriptors: [] }, "one wake, one end");
});

for (const [host, text] of [["::1", "::1"], ["::", "::"], ["0.0.0.0", "0.0.0.0"]] as const) {
  Deno.test(`ListenSocket listens on ${host}`, async () => {
    using listening = open({ host, port: 0 });
    const { socket } = listening;
    assert.equal(socket.address.host, text);
    const client = await connected(socket.address.port, host.includes(":") ? "::1" : "127.0.0.1");
    await socket.wait([], true, 5_000);
    const { descriptor, peer } = socket.accept()!;
    assert.equal(peer.host, host.includes(":") ? "::1" : "127.0.0.1");
    await closed(client);
    socket.end(descriptor);
  });
}

Deno.test("ListenSocket throws a code when it cannot listen, and leaves no descriptor open", () => {
  using taken = open();
  const before = [...Deno.readDirSync("/proc/self/fd")].length;
  const cases = [[taken.socket.address, "EADDRINUSE"], [{ host: "192.0.2.1", port: 0 }, "EADDRNOTAVAIL"]] as const;
  for (const [address, code] of cases) {
    assert.throws(() => new ListenSocket(address), (error) => error instanceof SystemCallError && error.code === code);
  }
  assert.equal([...Deno.readDirSync("/proc/self/fd")].length, before);
});

/**
 * A program that uses all its descriptors, gets a connection, frees them and gets another connection. It prints how
 * many connections a server of node:net has accepted.
 */
const DEAF_SERVER = `
  import { connect, createServer } from "node:net";
  let accepted = 0;
  const server = createServer(() => accepted += 1);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  const files = [];
  try {
    for (;;) files.push(Deno.openSync("/dev/null"));
  } catch { /* All descriptors are used. */ }
  // This frees one descriptor for the client. The server then has none.
  files.pop().close();
  const first = connect(port, "127.0.0.1").on("error", () => {});
  await new Promise((resolve) => first.once("connect", resolve));
  await new Promise((resolve) => setTimeout(resolve, 200));
  for (const file of files) file.close();
  const second = connect(port, "127.0.0.1").on("error", () => {});
  await new Promise((resolve) => second.once("connect", resolve));
  await new Promise((resolve) => setTimeout(resolve, 500));
  console.log(accepted);
  Deno.exit(0);
`;

Deno.test("ListenSocket is still needed because node:net stops accepting after EMFILE", async () => {
  const script = await Deno.makeTempFile({ suffix: ".mjs" });
  try {
    await Deno.writeTextFile(script, DEAF_SERVER);
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", 'ulimit -n 80 && exec "$0" run -A --quiet "$1"', Deno.execPath(), script],
    }).output();
    assert.equal(new TextDecoder().decode(stdout).trim(), "0", new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(script);
  }
});
