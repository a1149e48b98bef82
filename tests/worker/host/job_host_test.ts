/** Tests for the parts of a job host that are not in its link: when it is idle, its files, and late starts. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { JobSpec } from "../../../mod.ts";
import { readEnds } from "../../../worker/host/end_line.ts";
import { ForgottenIds } from "../../../worker/host/forgotten_ids.ts";
import { JobHost } from "../../../worker/host/job_host.ts";
import type { HostStart } from "../../../worker/host/link.ts";
import { newJobId } from "../../../worker/job/id.ts";
import { deadline } from "../../support/deadline.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { RecordedEvents } from "./conformance/fixture.ts";

const INSTANCE = "00000000000000ff";

/** A job host with a supervisor attached, and the times that it was idle. */
async function startHost(directory: string) {
  const errors: Error[] = [];
  let idle = Promise.withResolvers<void>();
  const counts = { idle: 0 };
  const host = new JobHost({
    outputDirectory: join(directory, "output"),
    hostsDirectory: join(directory, "hosts"),
    instance: INSTANCE,
    version: "1",
    cgroupText: "none",
    onIdle: () => {
      counts.idle += 1;
      idle.resolve();
    },
    onError: (error) => void errors.push(error),
  });
  const events = new RecordedEvents();
  await host.attach(events);
  const nextIdle = async () => {
    await deadline(idle.promise, "an idle host");
    idle = Promise.withResolvers();
  };
  return { host, events, errors, counts, nextIdle };
}

function shell(script: string, options: Partial<JobSpec> = {}): HostStart {
  const spec = { id: newJobId(), command: "sh", args: ["-c", script], registeredAt: new Date(), ...options };
  return { spec, noNewPrivileges: false, baseEnv: {} };
}

/** Resolves when everything that is due in this turn of the event loop is done. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

Deno.test("a host is idle when no supervisor is attached and no job runs", async () => {
  await using temporary = await tempDir();
  const { host, events, nextIdle } = await startHost(temporary.path);
  assert.ok(!host.isIdle, "A supervisor is attached");
  const start = shell("read -r line", { input: true });
  await host.start(start);
  await host.close();
  assert.ok(!host.isIdle, "A job runs");
  await host.writeInput(start.spec.id, ReadableStream.from([{ end: true }]), {});
  await nextIdle();
  assert.ok(host.isIdle, "The end is on the disk, although nobody has stored it");
  const [job] = await host.attach(events);
  assert.equal(job?.changes.at(-1)?.status.state, "EXITED");
  assert.ok(!host.isIdle);
  await host.close();
  await nextIdle();
  await host[Symbol.asyncDispose]();
});

Deno.test("a host that is retired is idle when it has no job, although a supervisor is attached", async () => {
  await using temporary = await tempDir();
  const { host, events, nextIdle } = await startHost(temporary.path);
  const start = shell("read -r line", { input: true });
  await host.start(start);
  host.retire(true);
  await host.writeInput(start.spec.id, ReadableStream.from([{ end: true }]), {});
  await events.end(start.spec.id);
  await turn();
  assert.ok(!host.isIdle, "The supervisor has not stored the end");
  host.forget(start.spec.id);
  await nextIdle();
  host.retire(false);
  assert.ok(!host.isIdle);
  await host[Symbol.asyncDispose]();
});

Deno.test("a host does not report that it is idle when a supervisor replaces another one", async () => {
  await using temporary = await tempDir();
  const { host, events, counts } = await startHost(temporary.path);
  const other = new RecordedEvents();
  host.detach(events);
  await host.attach(other);
  host.detach(events);
  await turn();
  assert.equal(counts.idle, 0);
  host.detach(other);
  await turn();
  assert.equal(counts.idle, 1);
  await host[Symbol.asyncDispose]();
});

Deno.test("a host that cannot write an end reports it, and is not idle until it is written", async () => {
  await using temporary = await tempDir();
  const { host, events, errors, nextIdle } = await startHost(temporary.path);
  const directory = join(temporary.path, "hosts", INSTANCE);
  await Deno.remove(directory);
  await Deno.writeTextFile(`${temporary.path}/file`, "");
  await Deno.symlink(`${temporary.path}/file`, directory);
  const start = shell("true");
  await host.start(start);
  await events.end(start.spec.id);
  assert.equal(events.errors.length, 1);
  assert.match(events.errors[0]!.message, /Not a directory/);
  await host.close();
  await turn();
  assert.ok(!host.isIdle);
  // In one step: a host whose directory is gone does not wait.
  await Deno.mkdir(`${temporary.path}/next`);
  await Deno.symlink(`${temporary.path}/next`, `${temporary.path}/link`);
  await Deno.rename(`${temporary.path}/link`, directory);
  await nextIdle();
  assert.match(await Deno.readTextFile(join(directory, "ends.journal")), /EXITED/);
  assert.deepEqual(errors, []);
  await host[Symbol.asyncDispose]();
});

Deno.test("a host whose directory is gone is idle after its last job, because nobody could read the end", async () => {
  await using temporary = await tempDir();
  const { host, errors, nextIdle } = await startHost(temporary.path);
  const start = shell("read -r line", { input: true });
  await host.start(start);
  await host.close();
  await Deno.remove(join(temporary.path, "hosts"), { recursive: true });
  const idle = nextIdle();
  await host.stop(start.spec.id, {});
  await idle;
  assert.ok(host.isIdle);
  assert.equal(errors.length, 1);
  host.forget(start.spec.id);
  await host[Symbol.asyncDispose]();
});

Deno.test("a host without a supervisor reports errors to its program", async () => {
  await using temporary = await tempDir();
  const { host, events, errors } = await startHost(temporary.path);
  const start = shell("read -r line", { input: true });
  await host.start(start);
  await host.close();
  await Deno.remove(join(temporary.path, "hosts", INSTANCE));
  await host.stop(start.spec.id, {});
  assert.equal(errors.length, 1);
  assert.deepEqual(events.errors, []);
  host.forget(start.spec.id);
  await host[Symbol.asyncDispose]();
});

Deno.test("a host says that all ends are left only when it can start no more jobs, and none runs", async () => {
  for (
    const [what, refusesWork, runs, expected] of [
      ["in order", true, false, true],
      ["an error of its program", false, false, false],
      ["an error while a job runs", true, true, false],
    ] as const
  ) {
    await using temporary = await tempDir();
    const { host, events } = await startHost(temporary.path);
    const ended = shell("exit 3");
    await host.start(ended);
    await events.end(ended.spec.id);
    const running = shell("exec sleep 1000");
    if (runs) await host.start(running);
    if (refusesWork) host.refuseWork();
    await host[Symbol.asyncDispose]();
    const { ends, areComplete } = readEnds(join(temporary.path, "hosts", INSTANCE), () => assert.fail("damaged"));
    assert.deepEqual([[...ends.keys()], areComplete], [[ended.spec.id], expected], what);
    await host.stopJobs(0);
  }
});

Deno.test("refuseWork() refuses jobs, and supervisors once no job runs", async () => {
  await using temporary = await tempDir();
  const { host, events } = await startHost(temporary.path);
  const start = shell("read -r line", { input: true });
  await host.start(start);
  host.refuseWork();
  await assert.rejects(host.start(shell("true")), { code: "SUPERVISOR_CLOSED" });
  assert.equal((await host.attach(events)).length, 1);
  assert.ok(host.hasJobs);
  await host.stop(start.spec.id, {});
  host.forget(start.spec.id);
  assert.ok(!host.hasJobs);
  await turn();
  await assert.rejects(host.attach(events), { code: "HOST_UNAVAILABLE" });
  await host[Symbol.asyncDispose]();
});

Deno.test("a job does not notice that its supervisor throws", async () => {
  await using temporary = await tempDir();
  const { host, events, errors } = await startHost(temporary.path);
  await turn();
  events.onChange = () => {
    throw new Error("defect");
  };
  const start = shell("echo done");
  await host.start(start);
  await host.stop(start.spec.id, {});
  assert.deepEqual(errors.map(({ message }) => message), errors.map(() => "defect"));
  assert.ok(errors.length >= 3);
  const [job] = await host.attach(new RecordedEvents());
  assert.ok(job!.changes.length >= 3);
  host.forget(start.spec.id);
  await host[Symbol.asyncDispose]();
});

Deno.test("succeed() starts another host, or says that this one cannot", async () => {
  await using temporary = await tempDir();
  const { host } = await startHost(temporary.path);
  await assert.rejects(host.succeed(), { code: "HOST_UNAVAILABLE" });
  await host[Symbol.asyncDispose]();
});

Deno.test("a host makes its directories for its user alone", async () => {
  await using temporary = await tempDir();
  const { host } = await startHost(temporary.path);
  for (const name of ["output", "hosts", `hosts/${INSTANCE}`]) {
    assert.equal(Deno.statSync(join(temporary.path, name)).mode! & 0o777, 0o700, name);
  }
  await host[Symbol.asyncDispose]();
});

Deno.test("ForgottenIds knows the last 10,000 ids", () => {
  const ids = new ForgottenIds();
  for (let id = 0; id < 10_001; id++) ids.add(String(id));
  assert.ok(!ids.has("0") && ids.has("1") && ids.has("10000") && !ids.has("10001"));
});
