/** Outages of a job host: the server answers, and its job host does not. */
import assert from "node:assert/strict";
import { Outages } from "../../../cli/follow/outage.ts";
import { FakeCallError } from "../../support/fake_io.ts";
import { notes } from "./notes.ts";

const lost = () => new FakeCallError("UNAVAILABLE", "Connection lost");

const hostAway = () => Object.assign(new FakeCallError("UNAVAILABLE"), { code: "HOST_UNAVAILABLE" });

Deno.test("Outages.wait() waits for a job host before the first answer, because the server has answered", async () => {
  const print = notes();
  const outages = new Outages(print, 60_000);
  await outages.wait(hostAway());
  assert.deepEqual(print.told, ["Refused with UNAVAILABLE: trying again for 1m"]);
});

Deno.test("Outages prints one note for an outage of a job host, although the server answers meanwhile", async () => {
  const print = notes();
  const outages = new Outages(print);
  for (let tries = 0; tries < 3; tries++) {
    await outages.answered(false);
    await outages.answered(true, false);
    await outages.wait(hostAway());
  }
  assert.equal(print.told.length, 1);
  await outages.answered();
  assert.deepEqual(print.told.slice(1), ["The job host answers again"]);
});

Deno.test("Outages.wait() counts answers of the server as the same outage of a job host, until they last", async () => {
  const now = performance.now.bind(performance);
  let laterMs = 0;
  performance.now = () => now() + laterMs;
  try {
    const print = notes();
    const outages = new Outages(print, 60_000);
    for (let tries = 0; tries < 3; tries++) {
      await outages.answered(false);
      laterMs += 15_000; // The server looks for another job host.
      await outages.wait(hostAway());
    }
    assert.equal(print.told.length, 1);
    await outages.answered(false);
    laterMs += 3_600_000;
    await outages.wait(hostAway());
    assert.equal(print.told.length, 2);
    laterMs += 60_000;
    await assert.rejects(outages.wait(hostAway()), /Refused/);
  } finally {
    performance.now = now;
  }
});

Deno.test("Outages says that the server is back when it was away during an outage of a job host", async () => {
  const print = notes();
  const outages = new Outages(print);
  await outages.wait(hostAway());
  await outages.wait(lost());
  await outages.answered(false);
  assert.deepEqual(print.told.slice(1), ["The server is back"]);
});
