/** Promises of a link about running jobs: stop, signals, pause, input, checks, and the stop of all jobs. */
import assert from "node:assert/strict";
import { isFinalState } from "../../../../mod.ts";
import type { InputChunk } from "../../../../mod.ts";
import { deadline } from "../../../support/deadline.ts";
import { MORE_THAN_A_PIPE, Source, texts } from "../../process/input.ts";
import { type HostForm, TestedHost } from "./fixture.ts";

/** A shell that takes a moment to end at SIGTERM. */
const PATIENT = "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.01; done";
/** A shell that ignores SIGTERM. */
const STUBBORN = "trap '' TERM; echo up; while :; do sleep 0.01; done";

/** Registers the tests for a form of the link. */
export function testControl(form: HostForm): void {
  const test = (name: string, run: (host: TestedHost) => Promise<void>) =>
    Deno.test(`${form.name}: ${name}`, async () => {
      await using host = await TestedHost.start(form);
      await run(host);
      assert.deepEqual(host.events.errors, []);
    });

  test("stop() resolves after the end is reported, with reason and user", async (host) => {
    const id = await host.runUp(PATIENT);
    await deadline(host.link.stop(id, { by: "bob" }), "the stop");
    const end = host.events.of(id).at(-1)!;
    assert.ok(end.status.state === "EXITED" && end.status.exitCode === 3);
    assert.equal(end.status.reason, "STOPPED");
    assert.equal(end.status.stoppedBy, "bob");
    assert.deepEqual(end.status.requestedBy, { stopAskedBy: "bob" });
    assert.deepEqual([end.details.reason, end.details.by], ["STOPPED", "bob"]);
    assert.match(await host.outputOf(end), /bye/);
    assert.deepEqual(host.events.of(id).map(({ status }) => status.state), [
      "STARTING",
      "RUNNING",
      "STOPPING",
      "EXITED",
    ]);
    await host.link.stop(id, {});
    await host.link.stop("unknown", {});
  });

  test("stop() takes a grace period and a reason, and a second stop shortens the first", async (host) => {
    const id = await host.runUp(STUBBORN);
    const first = host.link.stop(id, { graceMs: 600_000, reason: "TIMED_OUT" });
    await host.events.state(id, "STOPPING");
    await host.link.stop(id, { graceMs: 0 });
    await deadline(first, "the first stop");
    const end = await host.events.end(id);
    assert.ok(end.status.state === "KILLED" && end.status.signal === "SIGKILL" && end.status.reason === "TIMED_OUT");
    const other = await host.runUp();
    await assert.rejects(host.link.stop(other, { graceMs: -1 }), { code: "INVALID_ARGUMENT" });
  });

  test("signal() sends a signal with its user, by name or number", async (host) => {
    const id = await host.runUp("trap 'echo hup' HUP; trap 'exit 5' USR1; echo up; while :; do sleep 0.01; done");
    await host.link.watch(id);
    await host.link.signal(id, "SIGHUP", "ann");
    await host.events.stdoutBytes(id, 7);
    await host.link.signal(id, "10", "bob");
    const { status } = await host.events.end(id);
    assert.ok(status.state === "EXITED" && status.exitCode === 5);
    assert.deepEqual(status.requestedBy?.signals?.map(({ by, signal, at }) => [by, signal, at instanceof Date]), [
      ["ann", "SIGHUP", true],
      ["bob", "SIGUSR1", true],
    ]);
  });

  test("calls on a job that does not run are refused with JOB_NOT_RUNNING", async (host) => {
    const { id } = await host.ended("true", { input: true });
    const running = await host.runUp();
    await assert.rejects(host.link.signal(running, "NONE"), { code: "INVALID_SIGNAL" });
    for (const job of [id, "unknown"]) {
      const refused = { code: "JOB_NOT_RUNNING" };
      await assert.rejects(host.link.signal(job, "HUP"), refused);
      await assert.rejects(host.link.pause(job), refused);
      await assert.rejects(host.link.resume(job), refused);
      await assert.rejects(host.link.writeInput(job, texts("a"), {}), refused);
    }
  });

  test("pause() and resume() stop and continue a job", async (host) => {
    const id = await host.runUp();
    await host.link.pause(id, "ann");
    await host.link.pause(id, "bob");
    assert.deepEqual((await host.link.states([id]))[id]!.paused, { by: "ann" });
    await host.link.resume(id);
    assert.equal((await host.link.states([id]))[id]!.paused, undefined);
    await host.link.pause(id);
    assert.deepEqual((await host.link.states([id]))[id]!.paused, {});
    await host.link.stop(id, {});
    await assert.rejects(host.link.pause(id), { code: "JOB_NOT_RUNNING" });
  });

  test("writeInput() writes, continues at an offset, and ends the input", async (host) => {
    const id = await host.run("exec cat", { input: true });
    const first = await host.link.writeInput(id, texts("one\n", "two\n"), { writer: "w" });
    assert.deepEqual(first, { bytes: 8, closed: false, accepted: 8 });
    await assert.rejects(host.link.writeInput(id, texts("x"), { writer: "v", offset: 4 }), { code: "INPUT_OFFSET" });
    const rest = await host.link.writeInput(id, texts("two\n", "three\n", "end"), { writer: "w", offset: 4 });
    assert.deepEqual(rest, { bytes: 14, closed: true, accepted: 6 });
    const end = await host.events.end(id);
    assert.equal(await host.outputOf(end), "one\ntwo\nthree\n");
    assert.deepEqual(end.status.input, { bytes: 14, closed: true });
    const plain = await host.runUp();
    await assert.rejects(host.link.writeInput(plain, texts("x"), {}), { code: "NO_INPUT" });
  });

  test("writeInput() has one writer at a time, who may replace its own call or leave", async (host) => {
    const id = await host.run("exec cat", { input: true });
    const source = new Source();
    const first = host.link.writeInput(id, source, { writer: "w" });
    const refused = assert.rejects(first, { code: "INPUT_TAKEN_OVER" });
    await source.give("a");
    await source.asked();
    await assert.rejects(host.link.writeInput(id, texts("x"), { writer: "v" }), { code: "INPUT_BUSY" });
    const next = new Source();
    const abort = new AbortController();
    const second = host.link.writeInput(id, next, { writer: "w", signal: abort.signal });
    await refused;
    await deadline(source.left.promise, "the end of the first writer");
    await next.give("b");
    await next.asked();
    const left = assert.rejects(second, { name: "AbortError" });
    abort.abort();
    await left;
    assert.deepEqual((await host.link.states([id]))[id]!.input, { bytes: 2, closed: false });
    await host.link.writeInput(id, texts("end"), {});
    assert.equal(await host.outputOf(await host.events.end(id)), "ab");
  });

  test("writeInput() takes no more chunks than the job reads", async (host) => {
    const script = "exec 2>/dev/null; trap go=1 USR1; echo up; while [ -z $go ]; do sleep 0.01; done; exec wc -c";
    const id = await host.runUp(script, { input: true });
    const count = 200;
    let taken = 0;
    async function* chunks(): AsyncGenerator<InputChunk> {
      while (taken < count) {
        taken += 1;
        yield await Promise.resolve({ data: MORE_THAN_A_PIPE });
      }
      yield { end: true };
    }
    const written = host.link.writeInput(id, chunks(), {});
    const untilRead = host.link.states([id]);
    assert.ok(((await untilRead)[id]?.input?.bytes ?? 0) <= 4 * MORE_THAN_A_PIPE.length);
    assert.ok(taken < 40, `${taken} chunks were taken before the job read`);
    await host.link.signal(id, "USR1");
    const { accepted, closed } = await deadline(written, "the input");
    assert.deepEqual([accepted, closed], [count * MORE_THAN_A_PIPE.length, true]);
    const output = await host.outputOf(await host.events.end(id));
    assert.equal(output.trim(), `up\n${count * MORE_THAN_A_PIPE.length}`);
  });

  test("writeInput() returns when the job ends", async (host) => {
    const id = await host.run("exec sleep 1000", { input: true });
    const source = new Source();
    const written = host.link.writeInput(id, source, {});
    await source.give("a");
    await source.asked();
    await host.link.stop(id, {});
    assert.deepEqual(await deadline(written, "the result"), { bytes: 1, closed: true, accepted: 1 });
    await deadline(source.left.promise, "the end of the iteration");
  });

  test("check() refuses what the host cannot enforce", async (host) => {
    const check = { options: {}, cwd: "/", noNewPrivileges: false };
    await host.link.check(check);
    await assert.rejects(host.link.check({ ...check, cgroupLimits: { maxProcesses: 5 } }), { code: "NOT_ENFORCEABLE" });
    await assert.rejects(host.link.check({ ...check, options: { rlimits: { openFiles: 2 ** 40 } } }), {
      code: "NOT_ENFORCEABLE",
      message: /^Cannot set the .* open files/,
    });
    const isolations = await host.link.isolations();
    assert.deepEqual(Object.keys(isolations).sort(), ["PRIVATE", "STRICT"]);
    for (const isolation of ["PRIVATE", "STRICT"] as const) {
      const answer = host.link.check({ ...check, options: { isolation, ...(isolation === "STRICT" ? {} : {}) } });
      if (isolations[isolation] !== "") await assert.rejects(answer, { code: "NOT_ENFORCEABLE" });
      else await answer.catch(({ code }) => assert.equal(code, "NOT_ENFORCEABLE"));
    }
  });

  test("stopJobs() ends all jobs with reason SHUTDOWN and refuses starts meanwhile; a second call is faster", async (host) => {
    const ids = [await host.runUp(STUBBORN), await host.runUp(PATIENT), await host.runUp()];
    const stopped = host.link.stopJobs(600_000);
    await host.events.state(ids[0]!, "STOPPING");
    await assert.rejects(host.run("true"), { code: "SUPERVISOR_CLOSED" });
    await host.link.stopJobs(0);
    await deadline(stopped, "the stop of all jobs");
    for (const id of ids) {
      const { status } = host.events.of(id).at(-1)!;
      assert.ok(isFinalState(status.state) && "reason" in status && status.reason === "SHUTDOWN");
    }
    await host.ended("true"); // A host that stays takes new jobs.
    await assert.rejects(host.link.stopJobs(-1), { code: "INVALID_ARGUMENT" });
  });
}
