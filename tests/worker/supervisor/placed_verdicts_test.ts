/** Tests of a supervisor whose jobs an engine places: the engine refuses, forgets, loses and ends jobs, or does not answer. */
import assert from "node:assert/strict";
import { Supervisor } from "../../../mod.ts";
import { EngineRefusedError, EngineUnavailableError } from "../../../worker/engine/engine.ts";
import { deadline, eventually } from "../../support/deadline.ts";
import { FakeNode } from "../../support/fake_engine.ts";
import { final, stage } from "./placed_fixture.ts";

Deno.test("a placed job is LOST when the engine has ended it and its host does not report, and its host is over", async () => {
  await using one = await stage();
  const { id, node } = await one.run("echo up; exec sleep 600");
  await using output = one.supervisor.watchOutput(id);
  await deadline(output.next(), "the first output");
  one.engine.says = (jobs) => jobs.map((job) => ({ ...job, phase: "ENDED", text: "CANCELLED" }));
  node.isOnline = false;
  node.cut();
  const { state, error, stdoutBytes } = await final(one.supervisor, id);
  assert.equal(state, "LOST");
  const path = `/spool/${one.engine.submissions[0]?.id}.err`;
  assert.equal(
    error,
    "The host of the job does not report, so the end of the job is unknown: fake says CANCELLED; its job host may have " +
      `left ${path} on node "node-1"`,
  );
  assert.equal(stdoutBytes, 3);
  node.isOnline = true;
  assert.equal(await deadline(node.over), "OVER");
});

Deno.test("a placed job on a lost node is unreachable, and LOST only when the node answers again", async () => {
  await using one = await stage();
  const { id, node } = await one.run("exec sleep 600");
  await eventually(async () => (await one.supervisor.status(id)).state === "RUNNING", "the start");
  let asked = 0;
  let nodeAnswers = false;
  one.engine.says = (jobs) => {
    asked++;
    return jobs.map((job) => ({ ...job, phase: "NODE_LOST", text: "NODE_FAIL", nodeAnswers }));
  };
  node.isOnline = false;
  node.cut();
  await eventually(() => asked > 8, "some questions");
  assert.equal((await one.supervisor.status(id)).state, "RUNNING");
  await assert.rejects(one.supervisor.signal(id, "SIGHUP"), { code: "HOST_UNAVAILABLE" });
  nodeAnswers = true;
  assert.equal((await final(one.supervisor, id)).state, "LOST");
});

Deno.test("a placed job that the engine ends before its host came is FAILED with the engine's words", async () => {
  await using one = await stage();
  const id = await one.start("true");
  one.engine.says = (jobs) => jobs.map((job) => ({ ...job, phase: "ENDED", text: "FAILED, exit code 127" }));
  const { state, reason, error } = await final(one.supervisor, id);
  assert.deepEqual({ state, reason }, { state: "FAILED", reason: "START_FAILED" });
  assert.equal(error, "The job could not start: fake says FAILED, exit code 127");
  await using node = new FakeNode(one.engine, one.engine.submissions[0]?.id ?? "");
  assert.equal(await deadline(node.over), "OVER");
});

Deno.test("a placed job that could not start has what its host wrote to its standard error", async () => {
  await using one = await stage();
  const word = { phase: "ENDED", text: "FAILED, exit code 127", node: "n1" } as const;
  one.engine.says = (jobs) => jobs.map((job) => ({ ...job, ...word, stderr: "/tmp/x.err: sh: deno: not found" }));
  const first = (await final(one.supervisor, await one.start("true"))).error ?? "";
  assert.match(first, /exit code 127; its job host on node "n1" wrote to \/tmp\/x\.err: sh: deno: not found$/);
  one.engine.stderr = `${"x".repeat(5_000)}\nsh: cannot\nfork\n`;
  const second = (await final(one.supervisor, await one.start("true"))).error ?? "";
  assert.match(second, /x sh: cannot fork$/);
  assert.ok(second.length < 1_200, `${second.length}`);
});

Deno.test("a placed job that its machine cannot run is FAILED with the sentence of the machine", async () => {
  await using one = await stage();
  const options = Deno.uid() === 0 ? { isolation: "STRICT" } as const : { nice: -20 };
  const { id, node } = await one.run("true", options);
  const { state, reason, error } = await final(one.supervisor, id);
  assert.deepEqual({ state, reason }, { state: "FAILED", reason: "START_FAILED" });
  assert.match(error ?? "", /^Node "node-1" cannot run the job: Cannot /);
  await deadline(node.over);
  assert.deepEqual(one.errors, []);
});

Deno.test("a placed job that the engine has forgotten is submitted again under its name", async () => {
  await using one = await stage();
  one.engine.says = (jobs) => jobs.slice(1).map((job) => ({ ...job, phase: "QUEUED", text: "PENDING" }));
  const id = await one.start("exit 5");
  const { id: name } = await one.engine.submission(1);
  assert.equal(name, one.engine.submissions[0]?.id);
  await using node = new FakeNode(one.engine, name);
  assert.equal((await final(one.supervisor, id)).exitCode, 5);
  await deadline(node.over);
});

Deno.test("stop() of a placed job that waits ends it at once, and no host can start it", async () => {
  await using one = await stage();
  const id = await one.start("true");
  const { state, reason, stoppedBy, error } = await deadline(one.supervisor.stop(id, { by: "ann" }));
  assert.deepEqual({ state, reason, stoppedBy }, { state: "FAILED", reason: "STOPPED", stoppedBy: undefined });
  assert.match(error ?? "", /stopped while it waited/);
  const { id: name, handle } = await one.engine.submission();
  await eventually(() => one.engine.cancelled.length > 0, "the cancel");
  assert.deepEqual(one.engine.cancelled[0], { ref: { id: name, handle }, signal: "KILL" });
  await using node = new FakeNode(one.engine, name);
  assert.equal(await deadline(node.over), "OVER");
});

Deno.test("start() reports an engine that does not answer, and the job is not submitted twice when it was", async () => {
  await using one = await stage();
  const { engine, supervisor } = one;
  const submit = engine.submit.bind(engine);
  engine.submit = async (...args) => {
    await submit(...args);
    throw new EngineUnavailableError("sbatch did not end in time");
  };
  const id = await supervisor.add("sh", ["-c", "exit 6"]);
  await assert.rejects(supervisor.start(id), { code: "HOST_UNAVAILABLE" });
  assert.equal((await supervisor.status(id)).state, "STARTING");
  assert.equal((await supervisor.start(id)).state, "STARTING");
  await using node = new FakeNode(engine, engine.submissions[0]?.id ?? "");
  assert.equal((await final(supervisor, id)).exitCode, 6);
  assert.equal(engine.submissions.length, 1);
  await deadline(node.over);
});

for (const answers of [true, false]) {
  const what = answers ? "answers" : "does not answer";
  Deno.test(`a placed job starts on a host that comes before the engine ${what}`, async () => {
    await using one = await stage();
    const { engine, supervisor } = one;
    const submit = engine.submit.bind(engine);
    const end = Promise.withResolvers<void>();
    engine.submit = async (...args) => {
      const handle = await submit(...args);
      await end.promise;
      if (!answers) throw new EngineUnavailableError("sbatch did not end in time");
      return handle;
    };
    const id = await supervisor.add("sh", ["-c", "exit 6"]);
    const started = supervisor.start(id);
    await using node = new FakeNode(engine, (await engine.submission()).id);
    await eventually(async () => (await supervisor.status(id)).state === "EXITED", "the end");
    end.resolve();
    assert.equal((await deadline(started, "the answer of the start")).state, "EXITED");
    assert.equal((await final(supervisor, id)).exitCode, 6);
    assert.equal(engine.submissions.length, 1);
    await deadline(node.over);
  });
}

Deno.test("stop() of a placed job whose submission has no answer cancels it when the engine has taken it", async () => {
  await using one = await stage();
  const { engine, supervisor } = one;
  const submit = engine.submit.bind(engine);
  const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  engine.says = () => [];
  engine.failures = { submit: new EngineUnavailableError("down") };
  const id = await supervisor.add("true");
  await assert.rejects(supervisor.start(id), { code: "HOST_UNAVAILABLE" });
  engine.failures = {};
  engine.submit = async (...args) => {
    asked.resolve();
    await answer.promise;
    return await submit(...args);
  };
  await deadline(asked.promise, "the second submission");
  assert.equal((await deadline(supervisor.stop(id))).reason, "STOPPED");
  answer.resolve();
  await eventually(
    () => engine.cancelled.some(({ ref }) => ref.handle === "1"),
    "the cancel of what was submitted",
  );
});

Deno.test("start() submits a job later when the engine did not get it", async () => {
  await using one = await stage();
  const { engine, supervisor } = one;
  engine.failures = { submit: new EngineUnavailableError("down"), words: new EngineUnavailableError("down") };
  const id = await supervisor.add("sh", ["-c", "exit 4"]);
  await assert.rejects(supervisor.start(id), { code: "HOST_UNAVAILABLE" });
  engine.failures = {};
  await using node = new FakeNode(engine, (await engine.submission()).id);
  assert.equal((await final(supervisor, id)).exitCode, 4);
  await deadline(node.over);
});

Deno.test("ready() refuses a supervisor without the engine of a job that has not ended", async () => {
  await using one = await stage();
  const id = await one.start("true");
  await one.supervisor.close();
  await using other = new Supervisor({ directory: one.directory });
  await assert.rejects(other.ready(), (error: Error & { code: string }) => {
    assert.equal(error.code, "STORE_UNUSABLE");
    assert.equal(
      error.message,
      `The database "jobs.db" in the data directory has job "${id}", which runs on engine fake: start the server with ` +
        "--engine fake",
    );
    return true;
  });
});

Deno.test("start() of a job that the engine refuses leaves it INITIAL", async () => {
  await using one = await stage();
  one.engine.failures = { submit: new EngineRefusedError("fake refuses the job: no such partition") };
  const id = await one.supervisor.add("true");
  await assert.rejects(one.supervisor.start(id), { code: "NOT_ENFORCEABLE" });
  assert.equal((await one.supervisor.status(id)).state, "INITIAL");
  one.engine.failures = {};
  await one.supervisor.start(id);
  await using node = new FakeNode(one.engine, (await one.engine.submission()).id);
  assert.equal((await final(one.supervisor, id)).exitCode, 0);
  await deadline(node.over);
});
