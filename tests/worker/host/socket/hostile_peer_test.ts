/** Tests a job host against peers that break the rules, and against many of them. */
import assert from "node:assert/strict";
import { encodeMessage } from "../../../../worker/host/socket/message_codec.ts";
import { deadline, eventually } from "../../../support/deadline.ts";
import { Random, seedFor } from "../../../support/random.ts";
import { logState } from "./fake_host.ts";
import { hello, RawPeer } from "./raw_peer.ts";
import { NotedEvents, stage } from "./stage.ts";

const descriptors = () => [...Deno.readDirSync("/proc/self/fd")].length;

Deno.test("serveHost() ends a connection with a bad message, and serves the others", async () => {
  await using one = await stage();
  const link = await one.link();
  await link.attach(new NotedEvents());
  const welcome = encodeMessage(hello(one.directory));
  const text = (body: string) => {
    const json = new TextEncoder().encode(body);
    const message = new Uint8Array(8 + json.length);
    new DataView(message.buffer).setUint32(0, 4 + json.length);
    new DataView(message.buffer).setUint32(4, json.length);
    message.set(json, 8);
    return message;
  };
  const bad: [string, Uint8Array][] = [
    ["a length of 0", Uint8Array.of(0, 0, 0, 0)],
    ["a length of 4 GiB", Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 9)],
    ["a length of 16 MiB before the key", Uint8Array.of(1, 0, 0, 0)],
    ["JSON that is longer than the message", Uint8Array.of(0, 0, 0, 9, 0, 0, 0, 6)],
    ["JSON without bytes", Uint8Array.of(0, 0, 0, 9, 0, 0, 0, 1)],
    ["no object", text("[]")],
    ["no JSON", text("{]")],
    ["no text", Uint8Array.of(0, 0, 0, 6, 0, 0, 0, 2, 255, 255)],
    ["a call before the hello", encodeMessage({ call: 1, name: "stopJobs", args: [] })],
    ["a hello without a range", encodeMessage({ ...hello(one.directory), hello: 1 })],
    ["a call without arguments", new Uint8Array([...welcome, ...encodeMessage({ call: 1, name: "work" })])],
    ["half a message after the hello", new Uint8Array([...welcome, 255, 255, 0, 0])],
    ["deep JSON", new Uint8Array([...welcome, ...text(`{"$date":${"[".repeat(2e5)}${"]".repeat(2e5)}}`)])],
  ];
  for (const [what, bytes] of bad) {
    using peer = await RawPeer.connect(one.directory);
    await peer.write(bytes);
    await deadline(peer.ended(), what, 10_000);
  }
  assert.equal((await link.work()).runningJobs, 2);
  assert.deepEqual(one.host.calls.map(([name]) => name), ["attach", "work"]);
  assert.equal(one.server.isAttached, true);
});

Deno.test("serveHost() answers a call that it does not have, and ignores messages that it does not know", async () => {
  await using one = await stage();
  using peer = await RawPeer.welcomed(one.directory);
  for (const name of ["close", "closed", "constructor", "toString", "detach", "invented"]) {
    await peer.send({ call: 1, name, args: [] });
    const { error } = (await deadline(peer.receive()))?.body as { error: { code: string; message: string } };
    assert.equal(error.code, "NOT_ENFORCEABLE");
    assert.equal(error.message, `The job host of version "1.2.3" has no call "${name}"`);
  }
  await peer.send({ notify: "close", args: [] });
  await peer.send({ notify: "invented", args: [] });
  await peer.send({ input: 77 }, new Uint8Array(5));
  await peer.send({ abort: 77 });
  await peer.send({ invented: 1 });
  await peer.send({ call: 2, name: "signal", args: ["a", "HUP", null, { invented: 1 }] });
  const body = (await deadline(peer.receive()))?.body;
  assert.ok(body?.answer === 2 || typeof body?.ack === "number");
  assert.deepEqual(one.host.calls, [["signal", "a", "HUP", undefined, { invented: 1 }]]);
});

Deno.test("serveHost() keeps changes and the latest growth for a server that does not read", async () => {
  await using one = await stage();
  using peer = await RawPeer.welcomed(one.directory);
  await peer.send({ call: 1, name: "attach", args: [] });
  await eventually(() => one.host.events !== undefined, "the attach");
  const before = Deno.memoryUsage().heapUsed;
  for (let round = 1; round <= 2_000; round++) {
    for (let job = 0; job < 50; job++) one.host.events?.grew(`job ${job}`, logState(round));
    if (round % 100 === 0) {
      const status = { state: "STARTING", startedAt: new Date(round) } as const;
      one.host.events?.changed({ id: "job 1", number: round / 100, status, details: {} });
    }
    await Promise.resolve();
    if (round % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 0)); // Lets it write.
  }
  assert.ok(Deno.memoryUsage().heapUsed - before < 50e6);
  // Calls of a server that does not read wait in its socket.
  const flood = (async () => {
    for (let call = 2; call <= 20_000; call++) await peer.send({ call, name: "isolations", args: [] });
  })();
  const last = new Map<string, number>();
  const changes: number[] = [];
  let [reports, answers] = [0, 0];
  while (answers < 20_000) {
    const body = (await deadline(peer.receive()))?.body as {
      grew?: { id: string; end: { position: number } }[];
      changed?: { number: number };
      answer?: number;
    };
    for (const { id, end } of body.grew ?? []) {
      assert.ok(end.position > (last.get(id) ?? 0));
      last.set(id, end.position);
      reports++;
    }
    if (body.changed !== undefined) {
      changes.push(body.changed.number);
      assert.equal(last.get("job 1"), body.changed.number * 100);
    }
    if (body.answer !== undefined) answers++;
  }
  await flood;
  assert.deepEqual(changes, Array.from({ length: 20 }, (_, at) => at + 1));
  assert.equal(last.size, 50);
  assert.ok([...last.values()].every((position) => position === 2_000));
  assert.ok(reports < 50_000, `${reports} reports`);
});

Deno.test("serveHost() serves 1,000 connections in a row, and 200 at once, and keeps no descriptor", async () => {
  await using one = await stage();
  const link = await one.link();
  const before = descriptors();
  for (let count = 0; count < 1_000; count++) {
    using peer = count % 2 === 0 ? await RawPeer.welcomed(one.directory) : await RawPeer.connect(one.directory);
    if (count % 3 === 0) await peer.send({ call: 1, name: "work", args: [] });
  }
  await eventually(() => descriptors() === before, () => `${descriptors()} descriptors, not ${before}`);
  const peers = await Promise.all(Array.from({ length: 200 }, () => RawPeer.connect(one.directory)));
  await link.work();
  for (const peer of peers) peer.close();
  await eventually(() => descriptors() === before, () => `${descriptors()} descriptors, not ${before}`);
  await (await one.link()).work();
});

Deno.test("serveHost() survives random messages of peers that have the key", async () => {
  const random = new Random(seedFor("random peers"));
  await using one = await stage();
  const link = await one.link();
  const names = [
    "work",
    "attach",
    "writeInput",
    "start",
    "stop",
    "watch",
    "unwatch",
    "forget",
    "states",
    "close",
    "__proto__",
  ];
  const values = [null, 0, -1, 1e300, "", "a", [], {}, { $date: 1e99 }, { $bytes: ["AA=="] }, [[]], true];
  const value = () => random.pick(values);
  for (let count = 0; count < 150; count++) {
    using peer = await RawPeer.welcomed(one.directory);
    for (let sent = random.below(20); sent > 0; sent--) {
      const args = random.chance(0.9) ? Array.from({ length: random.below(4) }, value) : value();
      const body = random.pick([
        { call: random.below(5), name: random.pick(names), args },
        { notify: random.pick(names), args },
        { input: random.below(5), end: value(), done: value() },
        { abort: random.below(5) },
        { ping: value() },
        { [random.pick(["call", "notify", "input", "abort"])]: value() },
      ]);
      const bytes = encodeMessage(body, random.bytes(random.below(50)));
      if (random.chance(0.1)) bytes[random.below(bytes.length)] = random.below(256);
      await peer.write(random.chance(0.95) ? bytes : bytes.subarray(0, random.below(bytes.length)));
    }
    if (count % 10 === 0) assert.equal((await deadline(link.work())).runningJobs, 2);
  }
  assert.deepEqual(Object.keys(Object.prototype), []);
});
