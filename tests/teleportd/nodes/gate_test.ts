/** Tests the door for node hosts: who gets in, and that bytes arrive. */
import assert from "node:assert/strict";
import type { DialIn } from "../../../mod.ts";
import { connectGateway } from "../../../teleportd/nodes/connect_gateway.ts";
import { openNodeGate } from "../../../teleportd/nodes/gate.ts";
import { type NodeConfig, nodeScript, readNodeScript } from "../../../teleportd/nodes/node_config.ts";
import { deadline, eventually } from "../../support/deadline.ts";
import { tempDir } from "../../support/temp_dir.ts";

const ID = "0123456789abcdef".repeat(2);
const OTHER = "f".repeat(32);

interface Door extends AsyncDisposable {
  readonly dialIns: DialIn[];
  readonly warnings: string[];
  /** Returns the configuration of a host. */
  config(id?: string): Promise<NodeConfig>;
  close(): Promise<void>;
}

async function door(data: string): Promise<Door> {
  const dialIns: DialIn[] = [];
  const warnings: string[] = [];
  const log = { debug() {}, info() {}, warn: (text: string) => void warnings.push(text), error() {} };
  const gate = await openNodeGate({
    data,
    listen: { hostname: "127.0.0.1", port: 0 },
    addresses: [],
    command: ["/bin/it's", "server.ts"],
    spool: "/tmp",
    log,
  });
  await gate.open((dialIn) => void dialIns.push(dialIn));
  const close = async () => {
    for (const { stream } of dialIns) stream.close();
    await gate.close();
  };
  return {
    dialIns,
    warnings,
    close,
    async config(id = ID) {
      const config = readNodeScript(await gate.token(id));
      assert.ok(config);
      return config;
    },
    [Symbol.asyncDispose]: close,
  };
}

const never = new AbortController().signal;

Deno.test("nodeScript() gives a shell script whose words are quoted, and readNodeScript() reads it", () => {
  const config = { id: ID, addresses: ["a:1"], ca: "x", certificate: "y", key: "z", spool: "/tmp" };
  const script = nodeScript(["/bin/it's", "a b"], config, "/srv");
  assert.match(script, /^ {2}'\/bin\/it'\\''s' 'a b' host node "\$0" "\$@" 2>>"\$report" &$/m);
  assert.deepEqual(readNodeScript(script), config);
  assert.equal(readNodeScript("#!/bin/sh\n#teleport !"), undefined);
  assert.equal(readNodeScript(""), undefined);
});

Deno.test("the door gives the name in the certificate of a host, and carries bytes both ways", async () => {
  await using dir = await tempDir();
  await using one = await door(dir.path);
  const stream = await deadline(connectGateway(await one.config(), 0, never));
  await eventually(() => one.dialIns.length > 0, "the connection");
  const [dialIn] = one.dialIns;
  assert.equal(dialIn?.id, ID);
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  const sent = (async () => {
    for (let count = 0; count < 50; count++) await stream.write(bytes);
  })();
  let [total, at] = [0, 0];
  const buffer = new Uint8Array(10_007);
  while (total < 3_000_000) {
    const count: number | null = await deadline(dialIn!.stream.read(buffer));
    assert.ok(count !== null);
    for (let index = 0; index < count; index++, at = (at + 1) % bytes.length) assert.equal(buffer[index], bytes[at]);
    total += count;
  }
  await sent;
  await dialIn!.stream.write(bytes.subarray(0, 3));
  assert.equal(await deadline(stream.read(buffer)), 3);
  assert.deepEqual(buffer.subarray(0, 3), bytes.subarray(0, 3));
  stream.close();
  assert.equal(await deadline(dialIn!.stream.read(buffer)), null);
});

Deno.test("the end of a connection is seen after bytes that nobody has read for a while", async () => {
  await using dir = await tempDir();
  await using one = await door(dir.path);
  const stream = await deadline(connectGateway(await one.config(), 0, never));
  await eventually(() => one.dialIns.length > 0, "the connection");
  const bytes = new Uint8Array(1_000_000);
  for (let count = 0; count < 5; count++) await stream.write(bytes);
  stream.close();
  const buffer = new Uint8Array(65_536);
  let total = 0;
  for (;;) {
    const count: number | null = await deadline(
      one.dialIns[0]!.stream.read(buffer),
      () => `the end after ${total}`,
      20_000,
    );
    if (count === null) break;
    total += count;
  }
  assert.equal(total, 5_000_000);
});

Deno.test("the door refuses a host of another gateway, and a host refuses another gateway", async () => {
  await using first = await tempDir();
  await using other = await tempDir();
  await using one = await door(first.path);
  await using stranger = await door(other.path);
  const [own, foreign] = [await one.config(), await stranger.config(OTHER)];
  // The host has a certificate of another authority.
  const stream = await deadline(
    connectGateway({ ...foreign, ca: own.ca, addresses: own.addresses }, 0, never).catch(() => undefined),
  );
  if (stream !== undefined) assert.equal(await deadline(stream.read(new Uint8Array(1)).catch(() => null)), null);
  await eventually(() => one.warnings.some((text) => text.includes("no certificate of this server")), "the warning");
  assert.equal(one.dialIns.length, 0);
  // The gateway has a certificate of another authority.
  await assert.rejects(deadline(connectGateway({ ...own, addresses: foreign.addresses }, 0, never)));
  assert.equal(stranger.dialIns.length, 0);
});

Deno.test("the door of a gateway that comes back has the same port and accepts hosts of the earlier one", async () => {
  await using dir = await tempDir();
  const first = await door(dir.path);
  const config = await first.config();
  await first.close();
  await assert.rejects(deadline(connectGateway(config, 0, never)));
  await using second = await door(dir.path);
  const stream = await deadline(connectGateway(config, 0, never));
  await eventually(() => second.dialIns.length > 0, "the connection");
  stream.close();
});

Deno.test("the door does not wait for a connection that says nothing, or something else than TLS", async () => {
  await using dir = await tempDir();
  await using one = await door(dir.path);
  const [, port = ""] = (await one.config()).addresses[0]?.split(":") ?? [];
  using silent = await Deno.connect({ port: Number(port) });
  using plain = await Deno.connect({ port: Number(port) });
  await plain.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  await deadline(plain.read(new Uint8Array(100)).catch(() => null), "the end of a connection without TLS");
  const stream = await deadline(connectGateway(await one.config(), 0, never));
  await eventually(() => one.dialIns.length === 1, "the connection");
  stream.close();
  assert.ok(silent);
});
