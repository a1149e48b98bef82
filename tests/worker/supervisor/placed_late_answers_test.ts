/** Tests of a supervisor whose engine answers a submission late. */
import assert from "node:assert/strict";
import { EngineRefusedError } from "../../../worker/engine/engine.ts";
import { deadline, eventually } from "../../support/deadline.ts";
import { stage } from "./placed_fixture.ts";
import { read } from "./supervisor_fixture.ts";

Deno.test("stop() of a placed job and its watchers do not wait for the answer to its submission", async () => {
  await using one = await stage();
  const { engine, supervisor } = one;
  const submit = engine.submit.bind(engine);
  const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  engine.submit = async (...args) => {
    asked.resolve();
    await answer.promise;
    return await submit(...args);
  };
  const id = await supervisor.add("true");
  const started = supervisor.start(id);
  const output = read(supervisor.watchOutput(id));
  await deadline(asked.promise, "the submission");
  await new Promise((resolve) => setImmediate(resolve)); // The watcher has begun.
  const { state, reason } = await deadline(supervisor.stop(id), "the stop", 5_000);
  assert.deepEqual([state, reason], ["FAILED", "STOPPED"]);
  assert.equal((await deadline(output, "the end of the output", 5_000)).end.status.state, "FAILED");
  answer.resolve();
  assert.equal((await deadline(started, "the answer of the start")).state, "FAILED");
  await eventually(() => engine.cancelled.some(({ ref }) => ref.handle === "1"), "the cancel", 5_000);
});

Deno.test("start() of a job that the engine refuses late leaves it INITIAL", async () => {
  await using one = await stage();
  const { engine, supervisor } = one;
  const answer = Promise.withResolvers<string>();
  engine.submit = () => answer.promise;
  let asked = 0;
  engine.says = () => {
    asked++;
    return [];
  };
  await supervisor.ready();
  const id = await supervisor.add("true");
  const started = supervisor.start(id);
  await eventually(() => asked > 8, "some questions");
  answer.reject(new EngineRefusedError("fake refuses the job: no such partition"));
  await assert.rejects(started, { code: "NOT_ENFORCEABLE" });
  assert.equal((await supervisor.status(id)).state, "INITIAL");
});
