/** Tests of a supervisor whose jobs an engine places: hosts dial in, are refused, lose their links, and deliver their output. */
import assert from "node:assert/strict";
import type { JobStatus, OutputChunk, Supervisor } from "../../../mod.ts";
import { deadline, eventually } from "../../support/deadline.ts";
import { FakeNode } from "../../support/fake_engine.ts";
import { endOfInput, final, stage } from "./placed_fixture.ts";
import { read, states } from "./supervisor_fixture.ts";

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

Deno.test("a placed job that has ended keeps its place, also in the next supervisor", async () => {
  await using one = await stage();
  const { id, node } = await one.run("exit 7");
  const { placement } = await final(one.supervisor, id);
  await deadline(node.over);
  const waiting = await one.start("true");
  await one.supervisor.stop(waiting);
  await one.restart();
  const { supervisor } = one;
  assert.deepEqual({ ...placement }, { engine: "fake", handle: "7", node: "node-1" });
  assert.deepEqual((await supervisor.status(id)).placement, placement);
  assert.deepEqual((await supervisor.status(waiting)).placement, { engine: "fake", handle: "2" });
  const { jobs } = await supervisor.list({ ascending: true });
  assert.deepEqual(jobs.map((job) => job.placement?.handle), ["7", "2"]);
  const events = await eventsUntilCurrent(supervisor);
  assert.deepEqual(events.map((job) => job.placement?.handle), ["7", "2"]);
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

Deno.test("many placed jobs are submitted a few at a time", async () => {
  await using one = await stage();
  await Promise.all(Array.from({ length: 20 }, () => one.start("true")));
  assert.equal(one.engine.submissions.length, 20);
  assert.equal(one.engine.mostAtOnce, 3);
});

Deno.test("a placed job runs on while its host has no link, and its output arrives exactly", async () => {
  await using one = await stage();
  const { id, node } = await one.run("cat; i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; exit 3", {
    input: true,
  });
  await eventually(() => node.isLinked, "the link");
  await eventually(async () => (await one.supervisor.status(id)).state === "RUNNING", "the start");
  const reading = read(one.supervisor.watchOutput(id));
  await one.supervisor.writeInput(id, endOfInput());
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
      endOfInput(),
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
    endOfInput(),
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

/** Returns all jobs as a watcher of many jobs gets them first. */
async function eventsUntilCurrent(supervisor: Supervisor): Promise<JobStatus[]> {
  const statuses: JobStatus[] = [];
  for await (const event of supervisor.watchJobs()) {
    if (event.type === "current") break;
    statuses.push(event.status);
  }
  return statuses;
}
