/** Tests for the room of a job host: requests, answers, and what happens without a supervisor. */
import assert from "node:assert/strict";
import { OutputRoom } from "../../../worker/host/output_room.ts";

/** A room, and the requests that its supervisor got. */
function attached(maxBytes: number) {
  const room = new OutputRoom();
  const requests: number[] = [];
  room.set(maxBytes);
  room.attach((bytes) => void requests.push(bytes));
  return { room, requests };
}

Deno.test("reserve() has no limit until one is set, and answers at once while bytes fit", () => {
  const room = new OutputRoom();
  assert.equal(room.reserve(2 ** 40), true);
  room.set(2 ** 40 + 10);
  assert.equal(room.reserve(10), true);
  room.endWaiting();
  assert.equal(room.reserve(1), false, "No supervisor is there to ask");
  room.release(1);
  assert.equal(room.reserve(1), true);
  assert.equal(room.usedBytes, 2 ** 40 + 10);
});

Deno.test("reserve() asks for the missing bytes and waits for more room", async () => {
  const { room, requests } = attached(100);
  assert.equal(room.reserve(90), true);
  const first = room.reserve(30);
  const second = room.reserve(5); // It would fit, but the first is before it.
  assert.deepEqual(requests, [20, 25]);
  room.set(120);
  assert.equal(await first, true);
  assert.deepEqual(requests, [20, 25, 5]);
  room.set(125);
  assert.equal(await second, true);
  assert.equal(room.usedBytes, 125);
});

Deno.test("set() refuses waiting writes only when the supervisor sends the same room again", async () => {
  const { room, requests } = attached(100);
  assert.equal(room.reserve(100), true);
  const waiting = room.reserve(50);
  room.set(90); // The end of another job is stored.
  room.set(120); // A job was removed, which is not enough.
  assert.deepEqual(requests, [50, 60, 30]);
  room.set(120);
  assert.equal(await waiting, false);
  assert.equal(room.usedBytes, 100);
});

Deno.test("release() serves a waiting write", async () => {
  const { room } = attached(100);
  room.reserve(60);
  room.reserve(40);
  const waiting = room.reserve(50);
  room.release(60);
  assert.equal(await waiting, true);
});

Deno.test("a supervisor that answers within the request is understood", async () => {
  const room = new OutputRoom();
  room.set(10);
  room.attach((bytes) => room.set(room.maxBytes + bytes));
  assert.equal(await room.reserve(25), true);
  room.attach(() => room.set(25));
  assert.equal(await room.reserve(1), false);
});

Deno.test("attach() asks a new supervisor for the writes that wait, and none is refused before its answer", async () => {
  const { room } = attached(10);
  const waiting = room.reserve(15);
  room.attach(undefined);
  const later = room.reserve(5);
  const requests: number[] = [];
  room.attach((bytes) => void requests.push(bytes));
  room.set(10); // The first room of the new supervisor answers no request.
  assert.deepEqual(requests, [10, 10]);
  room.set(20);
  assert.deepEqual([await waiting, await later], [true, true]);
});

Deno.test("endWaiting() refuses the writes that wait for the next supervisor", async () => {
  const { room } = attached(10);
  const waiting = room.reserve(15);
  room.attach(undefined);
  const later = room.reserve(1);
  room.endWaiting();
  assert.deepEqual([await waiting, await later], [false, false]);
  assert.equal(room.reserve(11), false);
});
