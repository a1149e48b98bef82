/** Tests of a supervisor whose jobs an engine places: hosts dial in, lose their links, are refused, or never come. */
import assert from "node:assert/strict";
import { type JobOptions, type JobStatus, type OutputChunk, Supervisor } from "../../../mod.ts";
import { EngineRefusedError, EngineUnavailableError } from "../../../worker/engine/engine.ts";
import { deadline, eventually } from "../../support/deadline.ts";
import { FakeEngine, FakeNode } from "../../support/fake_engine.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { LocalHosts } from "./job_host_fixture.ts";
import { read, states } from "./supervisor_fixture.ts";

/** A supervisor with an engine, which can be restarted. */
interface Stage extends AsyncDisposable {
  readonly engine: FakeEngine;
  readonly errors: unknown[];
  supervisor: Supervisor;
  restart(whileAway?: () => Promise<void>): Promise<void>;
  start(script: string, options?: JobOptions): Promise<string>;
  /** Starts a job and its host. */
  run(script: string, options?: JobOptions): Promise<{ readonly id: string; readonly node: FakeNode }>;
}

async function stage(settleMs?: number): Promise<Stage> {
  const dir = await tempDir();
  const data = `${dir.path}/data`;
  const hosts = new LocalHosts(data);
  const engine = new FakeEngine(`${dir.path}/nodes`);
  const nodes: FakeNode[] = [];
  const errors: unknown[] = [];
  const open = () =>
    new Supervisor({
      directory: data,
      hosts,
      placing: engine.placing(settleMs),
      onError: (error) => errors.push(error),
    });
  const all: Stage = {
    engine,
    errors,
    supervisor: open(),
    async restart(whileAway) {
      await all.supervisor.close();
      await whileAway?.();
      all.supervisor = open();
      await all.supervisor.ready();
    },
    async start(script, options) {
      const id = await all.supervisor.add("sh", ["-c", script], options);
      await all.supervisor.start(id, { by: "ann" });
      return id;
    },
    async run(script, options) {
      const id = await all.start(script, options);
      const node = new FakeNode(engine, engine.submissions.at(-1)?.id ?? "");
      nodes.push(node);
      return { id, node };
    },
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]();
      await all.supervisor.close();
      await hosts[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
  return all;
}

async function final(supervisor: Supervisor, id: string): Promise<JobStatus> {
  const statuses = await deadline(Array.fromAsync(supervisor.watchStatus(id)), "the end of a job");
  return statuses.at(-1) as JobStatus;
}

Deno.test("a placed job runs on the host that dials, and its output arrives exactly", async () => {
  await using one = await stage();
  const { supervisor, engine } = one;
  const id = await one.start("echo one; echo two >&2; exit 7");
  const seen = states(supervisor.watchStatus(id));
  await eventually(async () => (await supervisor.status(id)).placement?.waitsFor === "PENDING (Resources)", "words");
  const { id: name } = await engine.submission();
  await using node = new FakeNode(engine, name);
  const { text, end } = await read(supervisor.watchOutput(id));
  assert.deepEqual([...text.split("\n")].sort(), ["", "one", "two"]);
  const { exitCode, stdoutBytes, stderrBytes, placement } = end.status;
  assert.deepEqual({ exitCode, stdoutBytes, stderrBytes }, { exitCode: 7, stdoutBytes: 4, stderrBytes: 4 });
  assert.deepEqual({ ...placement }, { engine: "fake", handle: "7", node: "node-1" });
  assert.deepEqual(await deadline(seen), ["STARTING", "RUNNING", "EXITED"]);
  assert.equal(await deadline(node.over, "the end of the host"), undefined);
  assert.deepEqual(one.errors, []);
});

Deno.test("a placed job is started by the first host alone, also when it is submitted twice", async () => {
  await using one = await stage();
  const { id, node } = await one.run("echo $$; read line; echo $line", { input: true });
  await using output = one.supervisor.watchOutput(id);
  const { value } = await deadline(output.next(), "the first output");
  const first = new TextDecoder().decode((value as OutputChunk).data);
  await using second = new FakeNode(one.engine, one.engine.submissions[0]?.id ?? "");
  assert.equal(await deadline(second.over), "TAKEN");
  const input = (async function* () {
    await Promise.resolve();
    yield { data: new TextEncoder().encode("end\n"), end: true };
  })();
  await one.supervisor.writeInput(id, input);
  const { text } = await read(output);
  assert.equal(text, "end\n");
  assert.match(first, /^\d+\n$/);
  await deadline(node.over);
});

Deno.test("a placed job runs on while its host has no link, and its output arrives exactly", async () => {
  await using one = await stage();
  const { id, node } = await one.run("cat; i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; exit 3", {
    input: true,
  });
  await eventually(() => node.isLinked, "the link");
  await eventually(async () => (await one.supervisor.status(id)).state === "RUNNING", "the start");
  const reading = read(one.supervisor.watchOutput(id));
  const input = (async function* () {
    await Promise.resolve();
    yield { data: new Uint8Array(), end: true };
  })();
  await one.supervisor.writeInput(id, input);
  node.cut();
  const { text, end } = await reading;
  assert.equal(text, Array.from({ length: 2_000 }, (_, index) => `line ${index}\n`).join(""));
  assert.equal(end.status.exitCode, 3);
});

Deno.test("a supervisor that comes back finds the end and all output of a placed job", async () => {
  await using one = await stage();
  const { id, node } = await one.run("echo before; cat >/dev/null; head -c 300000 /dev/zero; exit 143", {
    input: true,
  });
  await using output = one.supervisor.watchOutput(id);
  await deadline(output.next(), "the first output");
  node.isOnline = false;
  await one.restart(async () => {
    await node.host.writeInput(
      id,
      (async function* () {
        await Promise.resolve();
        yield { data: new Uint8Array(), end: true };
      })(),
      {},
    );
    await eventually(async () => (await node.host.work()).runningJobs === 0, "the end of the job on its node");
  });
  const { placement, state } = await one.supervisor.status(id);
  assert.equal(state, "RUNNING");
  const soFar = await read(one.supervisor.watchOutput(id, { follow: false }));
  assert.equal(soFar.text, "before\n");
  assert.ok(placement?.unreachableSince instanceof Date);
  node.isOnline = true;
  const { text, end } = await read(one.supervisor.watchOutput(id));
  assert.equal(text, `before\n${"\0".repeat(300_000)}`);
  assert.equal(end.status.state, "EXITED");
  assert.equal(end.status.exitCode, 143);
  assert.equal(end.stdoutSha256.length, 32);
  await deadline(node.over);
});

Deno.test("a supervisor that comes back keeps who may start a job", async () => {
  await using one = await stage();
  const { id, node } = await one.run("exec sleep 600");
  await eventually(async () => (await one.supervisor.status(id)).state === "RUNNING", "the start");
  await one.restart();
  await using second = new FakeNode(one.engine, one.engine.submissions[0]?.id ?? "");
  assert.equal(await deadline(second.over), "TAKEN");
  const stopped = await deadline(one.supervisor.stop(id, { by: "ann" }));
  assert.equal(stopped.state, "KILLED");
  assert.equal(stopped.signal, "SIGTERM");
  assert.equal(await deadline(node.over), undefined);
});

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
  assert.equal(
    error,
    "The host of the job does not report, so the end of the job is unknown: fake says CANCELLED",
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

Deno.test("a placed job that the engine has forgotten is submitted again under its name", async () => {
  await using one = await stage();
  one.engine.says = () => [];
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

Deno.test("a placed job that keeps its newest output loses the oldest while its host has no link", async () => {
  await using one = await stage();
  const script = "echo first; cat; i=0; while [ $i -lt 4000 ]; do echo line $i; i=$((i+1)); done";
  const { id, node } = await one.run(script, {
    input: true,
    outputLimit: { maxBytes: 8_000, policy: "KEEP_NEWEST" },
  });
  await using output = one.supervisor.watchOutput(id);
  await deadline(output.next(), "the first output");
  const state = await one.supervisor.status(id);
  assert.equal(state.state, "RUNNING");
  node.isOnline = false;
  node.cut();
  await node.host.writeInput(
    id,
    (async function* () {
      await Promise.resolve();
      yield { data: new Uint8Array(), end: true };
    })(),
    {},
  );
  await eventually(async () => (await node.host.work()).runningJobs === 0, "the end of the job on its node");
  node.isOnline = true;
  const { state: ended, droppedBytes = 0 } = await final(one.supervisor, id);
  assert.equal(ended, "EXITED");
  assert.ok(droppedBytes > 30_000, `${droppedBytes}`);
  const { text } = await read(one.supervisor.watchOutput(id));
  assert.match(text, /line 3998\nline 3999\n$/);
  assert.ok(text.length <= 10_000, `${text.length}`);
  await deadline(node.over);
});
