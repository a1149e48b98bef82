/** Tests for the watches of a supervisor: how they end, and that they leave nothing. */
import "../../support/plain_start.ts";
import assert from "node:assert/strict";
import { Supervisor } from "../../../mod.ts";
import { eventually } from "../../support/deadline.ts";
import { jobCounts } from "../../support/job_counts.ts";
import { descriptors, descriptorsBackTo, startUp } from "./supervisor_fixture.ts";
import { eachForm } from "./job_host_fixture.ts";

for (const what of ["watchStatus", "watchOutput"] as const) {
  Deno.test(`${what}() throws the reason of the signal when it aborts, before or during the watch`, async () => {
    await using supervisor = new Supervisor();
    const id = await startUp(supervisor);
    const reason = new Error("enough");
    await assert.rejects(supervisor[what](id, { signal: AbortSignal.abort(reason) }).next(), reason);
    const abort = new AbortController();
    const watching = supervisor[what](id, { signal: abort.signal });
    await watching.next();
    const waiting = watching.next();
    abort.abort(reason);
    await assert.rejects(waiting, reason);
    assert.equal((await jobCounts(supervisor)).watchers, 0);
  });

  Deno.test(`${what}() ends by break, return(), using and await using, also while it waits`, async () => {
    await using supervisor = new Supervisor();
    const id = await startUp(supervisor);
    const before = descriptors();
    for await (const _ of supervisor[what](id)) break;
    {
      await using watching = supervisor[what](id);
      await watching.next();
    }
    {
      using watching = supervisor[what](id);
      await watching.next();
    }
    const watching = supervisor[what](id);
    await watching.next();
    const waiting = watching.next();
    assert.equal((await watching.return()).done, true);
    assert.equal((await waiting).done, true);
    assert.equal((await watching.next()).done, true);
    supervisor[what](id); // A watch that is never iterated holds nothing.
    assert.equal((await jobCounts(supervisor)).watchers, 0);
    await descriptorsBackTo(before);
  });
}

eachForm("watchOutput() leaves no descriptors after 1,000 watchers", async (Supervisor) => {
  await using supervisor = new Supervisor();
  const id = await startUp(supervisor);
  const before = descriptors();
  const watchers = Array.from({ length: 1_000 }, () => supervisor.watchOutput(id));
  await Promise.all(watchers.map((watcher) => watcher.next()));
  assert.equal((await jobCounts(supervisor)).watchers, 1_000);
  await descriptorsBackTo(before + 1);
  const waiting = watchers.map((watcher) => watcher.next());
  await Promise.all(watchers.map((watcher) => watcher.return()));
  await Promise.all(waiting);
  assert.equal((await jobCounts(supervisor)).watchers, 0);
  await descriptorsBackTo(before);
});

eachForm("a watch whose signal aborts between two calls of next() frees everything it held", async (Supervisor) => {
  await using supervisor = new Supervisor();
  const id = await startUp(supervisor);
  const before = descriptors();
  const abort = new AbortController();
  const output = supervisor.watchOutput(id, { signal: abort.signal });
  const status = supervisor.watchStatus(id, { signal: abort.signal });
  await Promise.all([output.next(), status.next()]);
  assert.equal((await jobCounts(supervisor)).watchers, 2);
  const reason = new Error("the client is gone");
  abort.abort(reason); // Neither next() nor return() is called.
  await eventually(
    async () => (await jobCounts(supervisor)).watchers === 0 && descriptors() <= before,
    "the end of both watches",
  );
  await assert.rejects(output.next(), reason);
  await assert.rejects(status.next(), reason);
});
