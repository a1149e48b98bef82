/** The states that a service manager gets from the notifier of one server. */
import assert from "node:assert/strict";
import { ServiceNotifier } from "../../../teleportd/process/service_notifier.ts";

const STATUS = () => Promise.resolve("Jobs running: 0");

/** Returns a notifier, and the states that it has sent without the time of a reload. */
function notifierWithStates() {
  const states: string[] = [];
  const notifier = new ServiceNotifier({
    notify(state) {
      states.push(state.replace(/\n[^]*/, ""));
      return true;
    },
  });
  return { notifier, states };
}

Deno.test("reloading() reports the reload and its end", async () => {
  const { notifier, states } = notifierWithStates();
  using _ = notifier;
  notifier.ready(STATUS);
  await notifier.reloading(Promise.resolve());
  assert.deepEqual(states, ["READY=1", "RELOADING=1", "READY=1"]);
});

Deno.test("ready() sends nothing for a process that becomes the main one of a ready service", () => {
  const { notifier, states } = notifierWithStates();
  using _ = notifier;
  assert.ok(notifier.ready(STATUS, false));
  assert.deepEqual(states, []);
});

Deno.test("handOver() names the main process, and only the main process reports", () => {
  const { notifier, states } = notifierWithStates();
  using _ = notifier;
  notifier.ready(STATUS);
  notifier.handOver(17);
  notifier.stopping("jobs are being ended");
  assert.deepEqual(states, ["READY=1", "MAINPID=17"]);
});

Deno.test("reloading() reports nothing after the server has begun to stop", async () => {
  const { notifier, states } = notifierWithStates();
  using _ = notifier;
  notifier.ready(STATUS);
  const reload = Promise.withResolvers<void>();
  const reported = notifier.reloading(reload.promise);
  notifier.stopping("jobs are being ended");
  reload.resolve();
  await reported;
  await notifier.reloading(Promise.resolve());
  assert.deepEqual(states, ["READY=1", "RELOADING=1", "STOPPING=1"]);
});
