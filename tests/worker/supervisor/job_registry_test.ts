/** Tests for the registry and its parts: the factory, the removal, the registration and the shutdown. */
import assert from "node:assert/strict";
import {
  JobNotFoundError,
  LimitReachedError,
  RequestIdReusedError,
  SupervisorClosedError,
} from "../../../worker/errors.ts";
import { EndedJob } from "../../../worker/job/ended_job.ts";
import { Job } from "../../../worker/job/job.ts";
import { JobRegistry } from "../../../worker/supervisor/job_registry.ts";
import type { SupervisorOptions } from "../../../worker/supervisor/options.ts";
import { registerJob } from "../../../worker/supervisor/registration.ts";
import { Shutdown } from "../../../worker/supervisor/shutdown.ts";
import { tempDir } from "../../support/temp_dir.ts";

async function withRegistry(options: SupervisorOptions, use: (registry: JobRegistry) => unknown): Promise<void> {
  const registry = new JobRegistry(options);
  await registry.recover();
  try {
    await use(registry);
  } finally {
    await registry.close();
  }
}

const add = (registry: JobRegistry, options = {}) => registerJob(registry, {}, "true", [], options);

Deno.test("job() makes a job that can be started from a row in state INITIAL", async () => {
  await using directory = await tempDir();
  let id = "";
  await withRegistry({ directory: directory.path }, (registry) => id = add(registry));
  await withRegistry({ directory: directory.path }, async (registry) => {
    const job = registry.job(id);
    assert.ok(job instanceof Job);
    assert.equal(registry.job(id), job, "There is one object for each id");
    assert.equal((await job.start()).state, "EXITED");
  });
  await withRegistry({ directory: directory.path }, (registry) => {
    assert.ok(registry.job(id) instanceof EndedJob);
    assert.equal(registry.status(id).state, "EXITED");
  });
});

Deno.test("job() and stored() throw JobNotFoundError for an unknown id", () =>
  withRegistry({}, (registry) => {
    assert.throws(() => registry.job("x"), JobNotFoundError);
    assert.throws(() => registry.stored("x"), JobNotFoundError);
  }));

Deno.test("assertReadable() throws after close() when the registry has a directory", async () => {
  await using directory = await tempDir();
  for (const options of [{}, { directory: directory.path }]) {
    const registry = new JobRegistry(options);
    await registry.recover();
    await registry.close();
    if ("directory" in options) assert.throws(() => registry.assertReadable(), SupervisorClosedError);
    else registry.assertReadable();
  }
});

Deno.test("remove() removes the row and the object, and a second remove() throws JobNotFoundError", () =>
  withRegistry({}, async (registry) => {
    const id = add(registry);
    await registry.remove(id);
    assert.equal(registry.store.count, 0);
    assert.equal(registry.liveJobs.get(id), undefined);
    assert.equal(registry.disk.diskBytes, 0);
    assert.deepEqual(registry.store.unfinishedRemovals(), []);
    await assert.rejects(registry.remove(id), JobNotFoundError);
  }));

Deno.test("add() refuses a job when no other job can be removed", () =>
  withRegistry({ maxJobs: 1 }, (registry) => {
    add(registry);
    assert.throws(() => add(registry), (error: unknown) => {
      assert.ok(error instanceof LimitReachedError);
      assert.match(error.message, /^Cannot keep more than 1 jobs, and no ended job can be removed/);
      return true;
    });
    assert.equal(registry.store.count, 1);
  }));

Deno.test("registerJob() returns the first job for a repeated request, and refuses another request", () =>
  withRegistry({}, async (registry) => {
    const id = add(registry, { owner: "ann", requestId: "r" });
    assert.equal(add(registry, { owner: "ann", requestId: "r" }), id);
    assert.notEqual(add(registry, { owner: "bob", requestId: "r" }), id);
    assert.throws(() => add(registry, { owner: "ann", requestId: "r", nice: 1 }), RequestIdReusedError);
    await registry.remove(id);
    assert.throws(() => add(registry, { owner: "ann", requestId: "r" }), { message: /for a job that is removed/ });
  }));

Deno.test("registerJob() stores the limits and the directory of the supervisor", () =>
  withRegistry({}, (registry) => {
    const supervisor = { cwd: "/tmp", defaultLimits: { timeoutMs: 5 }, outputLimit: { maxBytes: 9 } } as const;
    const { spec } = registry.stored(registerJob(registry, supervisor as SupervisorOptions, "true", ["a"], {}));
    assert.deepEqual([spec.cwd, spec.timeoutMs, spec.outputLimit], ["/tmp", 5, { maxBytes: 9 }]);
  }));

Deno.test("stopJobs() stops running jobs, and assertOpen() throws from then on", () =>
  withRegistry({}, async (registry) => {
    const id = registerJob(registry, {}, "sleep", ["1000"], {});
    const final = registry.job(id).start();
    const shutdown = new Shutdown(registry, Promise.resolve());
    shutdown.assertOpen();
    const stopped = shutdown.stopJobs(0);
    assert.throws(() => shutdown.assertOpen(), SupervisorClosedError);
    await Promise.all([stopped, shutdown.stopJobs(0)]);
    assert.equal((await final).reason, "SHUTDOWN");
  }));
