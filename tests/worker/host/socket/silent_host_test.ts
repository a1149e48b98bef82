/** Tests a job host that does not acknowledge messages. */
import assert from "node:assert/strict";
import { HostUnavailableError } from "../../../../worker/errors.ts";
import { connectHost } from "../../../../worker/host/socket/connect_host.ts";
import type { RemoteJobHost } from "../../../../worker/host/socket/remote_job_host.ts";
import { deadline } from "../../../support/deadline.ts";
import { tempDir } from "../../../support/temp_dir.ts";
import { FakeHost } from "./fake_host.ts";
import { rawHost, RawPeer } from "./raw_peer.ts";
import { NotedEvents } from "./stage.ts";

const endless = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };

/** A link to a host that a test plays. */
async function played(acknowledgeMs: number) {
  const dir = await tempDir();
  const directory = `${dir.path}/host-1`;
  const listener = await rawHost(directory);
  const connecting = connectHost(directory, { acknowledgeMs });
  const peer = new RawPeer(await listener.accept());
  await peer.receive();
  await peer.send({ welcome: 1, info: { ...new FakeHost("host-1").info, pid: 42 } });
  const link: RemoteJobHost = await connecting;
  return {
    link,
    peer,
    async [Symbol.asyncDispose]() {
      await link.close();
      peer.close();
      listener.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

Deno.test("RemoteJobHost fails calls of a silent host, and reports when it answers again", async () => {
  await using one = await played(1_000);
  const { link, peer } = one;
  const events = new NotedEvents();
  const attaching = link.attach(events);
  await peer.receive();
  await peer.send({ ack: 1, answer: 1 });
  assert.deepEqual(await attaching, []);
  const text = /process 42 does not answer/;
  const calls = [link.stop("a", {}), link.usage("a"), link.writeInput("a", endless, {})];
  const checks = calls.map((call) => assert.rejects(call, text));
  await deadline(Promise.all(checks));
  assert.deepEqual(events.noted, [["availability", false]]);
  await assert.rejects(link.work(), HostUnavailableError); // At once: the host gets nothing.
  link.forget("a");
  const received = [];
  for (let count = 0; count < 5; count++) received.push((await deadline(peer.receive()))?.body);
  assert.deepEqual(received.slice(3), [{ abort: 4 }, { notify: "forget", args: ["a"] }]);
  // The host wakes. Late answers have no effect.
  await peer.send({ ack: 6, answer: 2 });
  await deadline(events.count("availability", 2));
  assert.deepEqual(events.noted[1], ["availability", true]);
  await peer.send({ next: 4 });
  const working = link.work();
  assert.deepEqual((await peer.receive())?.body, { call: 5, name: "work", args: [] });
  await peer.send({ ack: 7, answer: 5, value: { runningJobs: 1 } });
  assert.deepEqual(await deadline(working), { runningJobs: 1 });
});

Deno.test("RemoteJobHost asks a host with an acknowledged call whether it lives, and waits for the answer", async () => {
  await using one = await played(1_500);
  const { link, peer } = one;
  const stopping = link.stop("a", {});
  await peer.receive();
  let received = 1;
  await peer.send({ ack: received });
  for (let count = 0; count < 3; count++) {
    assert.deepEqual((await deadline(peer.receive()))?.body, { ping: true });
    await peer.send({ ack: ++received });
  }
  await peer.send({ answer: 1 });
  await stopping;
  // No call waits, so no ping follows. This call is the next message.
  const resuming = link.resume("a");
  assert.equal((await deadline(peer.receive()))?.body.call, 2);
  await peer.send({ ack: received + 1 });
  assert.deepEqual((await deadline(peer.receive()))?.body, { ping: true });
  await assert.rejects(deadline(resuming), HostUnavailableError);
});

Deno.test("RemoteJobHost does not ask a host while a writer of an input is quiet", async () => {
  await using one = await played(500);
  const { link, peer } = one;
  const writing = link.writeInput("a", endless, {});
  await peer.receive();
  await peer.send({ ack: 1, next: 1 });
  await new Promise((resolve) => setTimeout(resolve, 2_500)); // Five times the limit.
  link.setRoom(5);
  assert.deepEqual((await deadline(peer.receive()))?.body, { notify: "setRoom", args: [5] });
  await peer.send({ ack: 2, answer: 1, value: { bytes: 0, closed: true, accepted: 0 } });
  assert.deepEqual(await deadline(writing), { bytes: 0, closed: true, accepted: 0 });
});

Deno.test("RemoteJobHost does not blame the host when its own process was blocked", async () => {
  await using one = await played(1_000);
  const { link, peer } = one;
  const working = link.work();
  await peer.receive();
  await peer.send({ ack: 1, answer: 1, value: {} });
  const end = performance.now() + 2_000;
  while (performance.now() < end); // The answer has arrived and nobody reads it.
  assert.deepEqual(await deadline(working), {});
});

Deno.test("RemoteJobHost ends when the host sends bytes that are not a message, or dies", async () => {
  for (const bytes of [Uint8Array.of(255, 255, 255, 255, 0), Uint8Array.of(0, 0, 0, 9, 0)]) {
    await using one = await played(1_000);
    const working = assert.rejects(one.link.work(), HostUnavailableError);
    await one.peer.write(bytes);
    if (bytes[0] === 0) one.peer.close(); // In the middle of a message.
    await deadline(working);
    assert.match(String(await deadline(one.link.closed)), /process 42 (sends messages|has ended)/);
  }
});

Deno.test("RemoteJobHost ignores messages and fields of a newer host", async () => {
  await using one = await played(1_000);
  const working = one.link.work();
  await one.peer.receive();
  await one.peer.send({ invented: { call: 1 } });
  await one.peer.send({ answer: 99, value: 5 });
  await one.peer.send({ next: 1 });
  await one.peer.send({ part: 77, jobs: [] });
  await one.peer.send({ answer: 1, value: { runningJobs: 3, invented: true }, invented: [] });
  assert.equal((await deadline(working)).runningJobs, 3);
});
