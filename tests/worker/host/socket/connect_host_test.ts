/** Tests how a server finds a job host, and which problems it distinguishes. */
import assert from "node:assert/strict";
import { HostUnavailableError } from "../../../../worker/errors.ts";
import { connectHost, HostConnectError } from "../../../../worker/host/socket/connect_host.ts";
import { serveHost } from "../../../../worker/host/socket/serve_host.ts";
import { deadline, eventually } from "../../../support/deadline.ts";
import { tempDir } from "../../../support/temp_dir.ts";
import { FakeHost } from "./fake_host.ts";
import { hello, rawHost, RawPeer } from "./raw_peer.ts";
import { stage } from "./stage.ts";

/** The problem of a connection that must fail. */
async function problem(directory: string, options: Parameters<typeof connectHost>[1] = {}) {
  const error = await deadline(connectHost(directory, options).then(() => undefined, (caught) => caught));
  assert.ok(error instanceof HostConnectError && error instanceof HostUnavailableError, String(error));
  assert.equal(error.code, "HOST_UNAVAILABLE");
  return `${error.problem}: ${error.message}`;
}

/** Leaves the socket file of a host that has died. */
async function leaveDeadSocket(directory: string): Promise<void> {
  const listener = await rawHost(directory);
  await Deno.rename(`${directory}/socket`, `${directory}/moved`); // A listener removes its path.
  listener.close();
  await Deno.rename(`${directory}/moved`, `${directory}/socket`);
}

Deno.test("connectHost() distinguishes a missing, a dead and a silent host", async () => {
  await using dir = await tempDir();
  const directory = `${dir.path}/host-1`;
  assert.match(await problem(directory), /^MISSING: .*it has no socket/);
  await leaveDeadSocket(directory);
  assert.match(await problem(directory), /^DEAD: .*no process listens/);
  await Deno.remove(`${directory}/socket`);
  using silent = await rawHost(directory);
  assert.match(await problem(directory, { acknowledgeMs: 20 }), /^SILENT: .*does not answer/);
  assert.ok(silent);
});

Deno.test("connectHost() does not report a host as dead when it ends connections without an answer", async () => {
  await using dir = await tempDir();
  const directory = `${dir.path}/host-1`;
  using listener = await rawHost(directory);
  const ending = (async () => {
    for (let count = 0; count < 3; count++) (await listener.accept()).close();
  })();
  assert.match(await problem(directory), /^SILENT: .*ends the connection/);
  await ending;
});

Deno.test("connectHost() names the versions of a host without a common protocol", async () => {
  await using dir = await tempDir();
  const directory = `${dir.path}/host-1`;
  using listener = await rawHost(directory);
  const answering = (async () => {
    using peer = new RawPeer(await listener.accept());
    await peer.receive();
    await peer.send({ refused: "PROTOCOL", protocols: { min: 4, max: 6 }, version: "9.0.0", pid: 42, newField: {} });
  })();
  assert.match(
    await problem(directory),
    /^PROTOCOL: .*process 42 of version "9.0.0" has the protocols 4 to 6, and this version has 1 to 1/,
  );
  await answering;
});

Deno.test("serveHost() refuses a server without a common protocol, and accepts a range that includes its own", async () => {
  await using one = await stage();
  for (const range of [{ min: 2, max: 9 }, { min: 0, max: 0 }]) {
    using peer = await RawPeer.connect(one.directory);
    await peer.send(hello(one.directory, range));
    assert.deepEqual((await deadline(peer.receive()))?.body, {
      refused: "PROTOCOL",
      protocols: { min: 1, max: 1 },
      version: "1.2.3",
      pid: Deno.pid,
    });
    assert.equal(await deadline(peer.receive()), undefined);
  }
  using peer = await RawPeer.connect(one.directory);
  await peer.send({ ...hello(one.directory, { min: 0, max: 9 }), newField: [{}] });
  assert.equal((await deadline(peer.receive()))?.body.welcome, 1);
});

Deno.test("connectHost() refuses what is not the host of the directory", async () => {
  await using one = await stage();
  if (Deno.uid() === 0) {
    await Deno.chown(`${one.directory}/socket`, 12_345, 12_345);
    assert.match(await problem(one.directory), /^REFUSED: .*socket belongs to user 12345, and its directory to user 0/);
    await Deno.chown(one.directory, 12_345, 12_345); // A host may have a user of its own.
    await (await one.link()).work();
  }
  await using dir = await tempDir();
  await Deno.symlink(one.directory, `${dir.path}/other`);
  assert.match(await problem(`${dir.path}/other`), /^REFUSED: .*does not accept the instance/);
  await Deno.writeFile(`${one.directory}/key`, new Uint8Array(32));
  assert.match(await problem(one.directory), /^REFUSED: .*does not accept the key/);
  await Deno.mkdir(`${dir.path}/file`);
  await Deno.writeTextFile(`${dir.path}/file/socket`, "");
  assert.match(await problem(`${dir.path}/file`), /^REFUSED: .*not a socket/);
});

Deno.test("connectHost() refuses a program that is not a host", async () => {
  for (const bytes of ["HTTP/1.1 400 Bad Request\r\n\r\n", "\0\0\0\x07\0\0\0\x02{}!", "\0\0\0\x06\0\0\0\x02{}"]) {
    await using dir = await tempDir();
    const directory = `${dir.path}/host-1`;
    using listener = await rawHost(directory);
    const answering = (async () => {
      using peer = new RawPeer(await listener.accept());
      await peer.write(new TextEncoder().encode(bytes));
      await peer.ended();
    })();
    assert.match(await problem(directory), /^REFUSED: .*another program/);
    await answering;
  }
});

Deno.test("serveHost() makes files for the own user alone, in place of those of a dead host", async () => {
  await using dir = await tempDir();
  const directory = `${dir.path}/host-1`;
  await leaveDeadSocket(directory);
  await Deno.chmod(directory, 0o755);
  const server = await serveHost(new FakeHost("host-1"), directory);
  const mode = (path: string) => Deno.lstatSync(path).mode! & 0o777;
  assert.deepEqual([mode(directory), mode(`${directory}/socket`), mode(`${directory}/key`)], [0o700, 0o600, 0o600]);
  assert.equal(Deno.statSync(`${directory}/key`).size, 32);
  const link = await connectHost(directory);
  await assert.rejects(serveHost(new FakeHost("host-1"), directory), { code: "DIRECTORY_IN_USE" });
  await link.work();
  await link.close();
  await server.close();
});

Deno.test("serveHost() and connectHost() work below a path that is longer than a socket's may be", async () => {
  const descriptors = () => [...Deno.readDirSync("/proc/self/fd")].length;
  await using dir = await tempDir();
  const before = descriptors();
  const directory = `${dir.path}/${"x".repeat(100)}/${"y".repeat(100)}/host-1`;
  const server = await serveHost(new FakeHost("host-1"), directory);
  const link = await connectHost(directory);
  await link.work();
  await link.close();
  await server.close();
  assert.deepEqual([...Deno.readDirSync(directory)], []);
  await eventually(() => descriptors() <= before, () => `${before} descriptors, not ${descriptors()}`);
});
