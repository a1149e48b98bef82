/** Tests of a supervisor whose engine answers a submission late. */
import assert from "node:assert/strict";
import { EngineRefusedError, EngineUnavailableError } from "../../../worker/engine/engine.ts";
import type { JobStatus } from "../../../mod.ts";
import { deadline, eventually } from "../../support/deadline.ts";
import { FakeNode } from "../../support/fake_engine.ts";
import { claimOnly, final, stage } from "./placed_fixture.ts";
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
  const { state, reason } = await deadline(supervisor.stop(id), "the stop");
  assert.deepEqual([state, reason], ["FAILED", "STOPPED"]);
  assert.equal((await deadline(output, "the end of the output")).end.status.state, "FAILED");
  answer.resolve();
  assert.equal((await deadline(started, "the answer of the start")).state, "FAILED");
  await eventually(() => engine.cancelled.some(({ ref }) => ref.handle === "1"), "the cancel");
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

Deno.test("watchStatus() gives STARTING again when the engine has a job whose submission had no answer", async () => {
  for (const submitted of [true, false]) {
    await using one = await stage();
    const { engine, supervisor } = one;
    const submit = engine.submit.bind(engine);
    engine.submit = async (...args) => {
      if (submitted) await submit(...args);
      throw new EngineUnavailableError("down");
    };
    engine.failures = { words: new EngineUnavailableError("down") };
    const id = await supervisor.add("true");
    await assert.rejects(supervisor.start(id), { code: "HOST_UNAVAILABLE" });
    const statuses = supervisor.watchStatus(id, { skipInitial: true });
    await supervisor.start(id);
    const next = async () => (await deadline(statuses.next(), "a status")).value as JobStatus;
    assert.deepEqual([(await next()).placement?.handle], [undefined]);
    engine.submit = submit;
    engine.failures = {};
    const { state, placement } = await next();
    assert.deepEqual([state, placement?.handle], ["STARTING", "1"]);
    await supervisor.stop(id);
    assert.equal((await next()).state, "FAILED");
    assert.equal((await deadline(statuses.next())).done, true);
  }
});

Deno.test("stop() of a job that a host has claimed and not begun does not submit it again", async () => {
  await using one = await stage();
  const { engine, supervisor } = one;
  const id = await one.start("exec sleep 600");
  await claimOnly(engine);
  const isAway = async () => (await supervisor.status(id)).placement?.unreachableSince !== undefined;
  await eventually(isAway, "the loss of the link");
  assert.equal((await supervisor.status(id)).state, "STARTING");
  const stopped = supervisor.stop(id);
  engine.says = (jobs) => jobs.map((job) => ({ ...job, phase: "ENDED", text: "CANCELLED" }));
  assert.equal((await deadline(stopped, "the end")).state, "LOST");
  assert.equal(engine.submissions.length, 1);
});

Deno.test("a link that fails after the host was accepted is tried again, and the job runs", async () => {
  await using one = await stage();
  const { engine, supervisor, directory } = one;
  const id = await one.start("exit 5");
  // The copy of the log cannot be opened.
  await Deno.writeTextFile(`${directory}/output/${id}`, "");
  await using node = new FakeNode(engine, (await engine.submission()).id);
  await eventually(() => one.errors.length > 0, "the error");
  await Deno.remove(`${directory}/output/${id}`);
  assert.equal((await final(supervisor, id)).exitCode, 5);
  await deadline(node.over);
});
