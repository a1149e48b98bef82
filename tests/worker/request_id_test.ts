/** Asking twice for the same job: one is made, whatever becomes of the answers. */
import assert from "node:assert/strict";
import { InvalidArgumentError, type JobOptions, RequestIdReusedError, Supervisor } from "../../mod.ts";
import { jobCounts } from "../support/job_counts.ts";

const OPTIONS: JobOptions = {
  requestId: "first",
  owner: "ann",
  env: { A: "1", B: "2" },
  labels: { x: "y" },
  timeoutMs: 1_000,
  outputLimit: { maxBytes: 10, policy: "STOP" },
};

Deno.test("add() with a request id that was used gives the job that is there, also all at once", async () => {
  await using supervisor = new Supervisor();
  const ids = await Promise.all(Array.from({ length: 20 }, () => supervisor.add("sh", ["-c", "true"], OPTIONS)));
  assert.equal(new Set(ids).size, 1);
  assert.equal((await jobCounts(supervisor)).jobs, 1);
  // The order of names is no part of a job.
  const other = { ...OPTIONS, env: { B: "2", A: "1" } };
  assert.equal(await supervisor.add("sh", ["-c", "true"], other), ids[0]);
  // It may have been started, or have ended, meanwhile.
  const id = ids[0] ?? "";
  await supervisor.start(id);
  for await (const _ of supervisor.watchStatus(id));
  assert.equal(await supervisor.add("sh", ["-c", "true"], OPTIONS), id);
});

Deno.test("add() refuses a request id that was used for another job, whatever it differs in", async () => {
  await using supervisor = new Supervisor();
  await supervisor.add("sh", ["-c", "true"], OPTIONS);
  const others: [string, string[], JobOptions][] = [
    ["bash", ["-c", "true"], OPTIONS],
    ["sh", ["-c", "false"], OPTIONS],
    ["sh", ["-c true"], OPTIONS],
    ["sh", ["-c", "true"], { ...OPTIONS, env: { A: "1" } }],
    ["sh", ["-c", "true"], { ...OPTIONS, labels: {} }],
    ["sh", ["-c", "true"], { ...OPTIONS, timeoutMs: 1_001 }],
    ["sh", ["-c", "true"], { ...OPTIONS, graceMs: 1 }],
    ["sh", ["-c", "true"], { ...OPTIONS, cwd: "/tmp" }],
    ["sh", ["-c", "true"], { ...OPTIONS, outputLimit: { maxBytes: 10, policy: "BLOCK" } }],
  ];
  for (const [command, args, options] of others) {
    await assert.rejects(supervisor.add(command, args, options), (error) => {
      assert.ok(error instanceof RequestIdReusedError, JSON.stringify([command, args, options]));
      assert.match(error.message, /^Request id "first" was used for another job: use a new id for each request$/);
      return true;
    });
  }
  assert.equal((await jobCounts(supervisor)).jobs, 1);
});

Deno.test("a request id is its owner's: others may use the same", async () => {
  await using supervisor = new Supervisor();
  const ids = [
    await supervisor.add("true", [], { requestId: "x", owner: "ann" }),
    await supervisor.add("true", [], { requestId: "x", owner: "bob" }),
    await supervisor.add("true", [], { requestId: "x" }),
    await supervisor.add("false", [], { owner: "ann" }),
    await supervisor.add("false", [], { owner: "ann" }),
  ];
  assert.equal(new Set(ids).size, 5);
});

Deno.test("a request id is known in the next life, and also when its job was removed", async () => {
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
  let id = "";
  {
    await using supervisor = new Supervisor({ directory });
    id = await supervisor.add("true", [], OPTIONS);
  }
  {
    await using supervisor = new Supervisor({ directory });
    assert.equal(await supervisor.add("true", [], OPTIONS), id);
    await supervisor.remove(id);
    // To run it again unasked would be worse than to say so.
    await assert.rejects(supervisor.add("true", [], OPTIONS), /was used for a job that is removed/);
  }
  await using supervisor = new Supervisor({ directory });
  await assert.rejects(supervisor.add("true", [], OPTIONS), RequestIdReusedError);
  await supervisor.close();
  await Deno.remove(directory, { recursive: true });
});

Deno.test("a request id of a removed job is free again when 1,000 others were removed, and not before", async () => {
  await using supervisor = new Supervisor();
  const id = await supervisor.add("true", [], OPTIONS);
  await supervisor.remove(id);
  for (let count = 0; count < 1_000; count++) {
    if (count === 999) await assert.rejects(supervisor.add("true", [], OPTIONS), RequestIdReusedError);
    await supervisor.remove(await supervisor.add("true"));
  }
  assert.notEqual(await supervisor.add("true", [], OPTIONS), id);
});

Deno.test("a field that is undefined is as one that is absent", async () => {
  await using supervisor = new Supervisor();
  const id = await supervisor.add("true", [], { requestId: "first" });
  const options = {
    requestId: "first",
    cwd: undefined,
    labels: undefined,
    timeoutMs: undefined,
  } as unknown as JobOptions;
  assert.equal(await supervisor.add("true", [], options), id);
});

Deno.test("a request id with a job that is there needs no room for another", async () => {
  await using supervisor = new Supervisor({ maxJobs: 1 });
  const id = await supervisor.add("true", [], OPTIONS);
  assert.equal(await supervisor.add("true", [], OPTIONS), id);
});

Deno.test("add() refuses an empty request id, and one that is too long", async () => {
  await using supervisor = new Supervisor();
  for (const requestId of ["", "x".repeat(129)]) {
    await assert.rejects(supervisor.add("true", [], { requestId }), InvalidArgumentError);
  }
  await supervisor.add("true", [], { requestId: "x".repeat(128) });
});
