/** Promises of a link about output: growth of watched logs, live states, disk space, and deletion. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { deadline } from "../../../support/deadline.ts";
import { Source } from "../../process/input.ts";
import { type HostForm, TestedHost } from "./fixture.ts";

/** Writes each line of its input to its output. */
const ECHO = "exec cat";

/** Registers the tests for a form of the link. */
export function testLogs(form: HostForm): void {
  const test = (name: string, run: (host: TestedHost) => Promise<void>) =>
    Deno.test(`${form.name}: ${name}`, async () => {
      await using host = await TestedHost.start(form);
      await run(host);
      assert.deepEqual(host.events.errors, []);
    });

  test("watch() reports each growth of a log, and unwatch() ends the reports", async (host) => {
    const id = await host.run(ECHO, { input: true });
    const source = new Source();
    const written = host.link.writeInput(id, source, {});
    await source.give("unseen\n");
    await source.asked();
    const log = await host.link.watch(id);
    await host.events.until(() => log!.end.offsets.stdout + host.events.growths.length >= 1, "the first line");
    await source.give("seen\n");
    await host.events.stdoutBytes(id, 12);
    host.link.unwatch(id);
    const { length } = host.events.growths;
    await source.give("unseen\n");
    await source.give({ end: true });
    await written;
    const end = await host.events.end(id);
    assert.equal(host.events.growths.length, length);
    assert.equal(end.details.output!.totals.stdoutBytes, 19);
    const positions = host.events.growths.map(({ range }) => range.end.position);
    assert.deepEqual(positions, positions.toSorted((a, b) => a - b));
    assert.ok(positions.at(-1)! < end.details.output!.end.position);
  });

  test("watch() returns the log as it is now, and undefined for a job that does not run", async (host) => {
    const id = await host.runUp();
    const log = await host.link.watch(id);
    assert.deepEqual(log!.start, { position: 0, offsets: { stdout: 0, stderr: 0 } });
    assert.deepEqual(log!.end.offsets, { stdout: 3, stderr: 0 });
    assert.equal(log!.totals.stdoutBytes, 3);
    assert.equal(log!.totals.stdoutSha256.length, 32);
    await host.link.stop(id, {});
    assert.equal(await host.link.watch(id), undefined);
    assert.equal(await host.link.watch("unknown"), undefined);
    host.link.unwatch("unknown");
  });

  test("watch() reports that a log has lost its beginning", async (host) => {
    const outputLimit = { maxBytes: 4_000, policy: "KEEP_NEWEST" } as const;
    const id = await host.run("read -r line; i=0; while [ $i -lt 200 ]; do printf '%0100d' $i; i=$((i+1)); done", {
      input: true,
      outputLimit,
    });
    await host.link.watch(id);
    await host.link.writeInput(id, ReadableStream.from([{ data: new Uint8Array([10]) }]), {});
    const end = await host.events.end(id);
    const starts = host.events.growths.map(({ range }) => range.start.position);
    assert.ok(starts.at(-1)! > 0);
    assert.deepEqual(starts, starts.toSorted((a, b) => a - b));
    assert.ok(end.details.output!.totals.droppedBytes > 0);
  });

  test("a new supervisor hears of no growth until it watches", async (host) => {
    const id = await host.run(ECHO, { input: true });
    await host.link.watch(id);
    await host.attachAnew();
    await host.link.writeInput(id, ReadableStream.from([{ data: new Uint8Array(1_000) }, { end: true }]), {});
    await host.events.end(id);
    assert.deepEqual(host.events.growths, []);
  });

  test("states() returns the live states of running jobs", async (host) => {
    const plain = await host.runUp();
    const fed = await host.run("exec sleep 1000", { input: true }, "ann");
    await host.link.writeInput(fed, ReadableStream.from([{ data: new Uint8Array(7) }]), {});
    await host.link.pause(fed, "bob");
    await host.link.signal(plain, "CONT", "eve");
    const { id: over } = await host.ended("true");
    const states = await host.link.states([plain, fed, over, "unknown"]);
    assert.deepEqual(Object.keys(states).sort(), [plain, fed].sort());
    assert.equal(states[plain]!.log.totals.stdoutBytes, 3);
    assert.equal(states[plain]!.paused, undefined);
    assert.equal(states[plain]!.input, undefined);
    assert.deepEqual(states[plain]!.requestedBy?.signals?.map(({ by, signal }) => [by, signal]), [["eve", "SIGCONT"]]);
    assert.deepEqual(states[fed]!.paused, { by: "bob" });
    assert.deepEqual(states[fed]!.input, { bytes: 7, closed: false });
    assert.deepEqual(states[fed]!.requestedBy, { startedBy: "ann" });
  });

  test("usage() measures a running job, and returns undefined for others", async (host) => {
    const id = await host.runUp();
    assert.ok((await host.link.usage(id))!.cpuUserUs! >= 0);
    await host.link.stop(id, {});
    assert.equal(await host.link.usage(id), undefined);
    assert.equal(await host.link.usage("unknown"), undefined);
  });

  test("deleteOutput() deletes the output of a job that does not run", async (host) => {
    const running = await host.runUp();
    await assert.rejects(host.link.deleteOutput(running), { code: "JOB_RUNNING" });
    const { id } = await host.ended("echo some");
    const path = join(host.directory, "output", id);
    assert.ok(Deno.statSync(path).isDirectory);
    await host.link.deleteOutput(id);
    assert.throws(() => Deno.statSync(path), Deno.errors.NotFound);
    await host.link.deleteOutput(id);
    await assert.rejects(host.link.deleteOutput(".."), { code: "INVALID_ARGUMENT" });
    await assert.rejects(host.link.deleteOutput("../hosts"), { code: "INVALID_ARGUMENT" });
  });

  const FILLS = "head -c 100000 /dev/zero; echo done >&2; read -r line";

  test("needsRoom() is called when the room is used up, and setRoom() lets the job continue", async (host) => {
    host.link.setRoom(50_000);
    const id = await host.run(FILLS, { input: true });
    await host.events.until(() => host.events.wantedBytes.length > 0, "a wish for room");
    assert.ok(host.events.wantedBytes[0]! > 0);
    host.link.setRoom(250_000);
    await host.link.writeInput(id, ReadableStream.from([{ end: true }]), {});
    const end = await host.events.end(id);
    assert.ok(end.status.state === "EXITED");
    assert.equal(end.details.output!.totals.stdoutBytes, 100_000);
    assert.equal(end.details.output!.totals.droppedBytes, 0);
    host.link.setRoom(undefined);
    await host.link.writeInput(await host.run(FILLS, { input: true }), ReadableStream.from([{ end: true }]), {});
    assert.equal(host.events.wantedBytes.length, 1);
  });

  test("a job is stopped when the supervisor has no more room, or when all jobs are stopped without one", async (host) => {
    host.link.setRoom(50_000);
    host.events.onNeedsRoom = () => host.link.setRoom(50_000);
    const first = await host.events.end(await host.run(FILLS, { input: true }));
    assert.ok("reason" in first.status && first.status.reason === "OUTPUT_LIMIT");
    assert.ok(host.events.wantedBytes.length > 0);
    const wanted = host.events.wantedBytes.length;
    host.events.onNeedsRoom = () => {};
    const id = await host.run(FILLS, { input: true });
    await host.events.until(() => host.events.wantedBytes.length > wanted, "a wish for room");
    await host.leave();
    const watcher = await host.connect();
    await deadline(watcher.stopJobs(undefined), "the end of the job");
    const job = (await host.attachAnew()).find((job) => job.id === id)!;
    assert.ok(job.changes.at(-1)!.details.output!.totals.droppedBytes > 0);
  });

  test("forget() frees the room of a job", async (host) => {
    host.link.setRoom(150_000);
    const fills = "head -c 100000 /dev/zero";
    const first = await host.ended(fills);
    const second = await host.run(fills);
    await host.events.until(() => host.events.wantedBytes.length > 0, "a wish for room");
    host.link.forget(first.id);
    const end = await host.events.end(second);
    assert.equal(end.details.output!.totals.droppedBytes, 0);
  });
}
