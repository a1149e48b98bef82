/** Tests for request ids: a repeated request adds no second job. */
import assert from "node:assert/strict";
import { InvalidArgumentError, type JobOptions, RequestIdReusedError, Supervisor } from "../../../mod.ts";
import { jobCounts } from "../../support/job_counts.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { finalStatus } from "../../support/final_status.ts";

const OPTIONS: JobOptions = {
  requestId: "first",
  owner: "ann",
  env: { A: "1", B: "2" },
  labels: { x: "y" },
  timeoutMs: 1_000,
  outputLimit: { maxBytes: 10, policy: "STOP" },
};

Deno.test("add() returns the first job for a repeated request, also for concurrent calls", async () => {
  await using supervisor = new Supervisor();
  const ids = await Promise.all(Array.from({ length: 20 }, () => supervisor.add("sh", ["-c", "true"], OPTIONS)));
  assert.equal(new Set(ids).size, 1);
  assert.equal((await jobCounts(supervisor)).jobs, 1);
  // The order of names does not matter.
  const other = { ...OPTIONS, env: { B: "2", A: "1" } };
  assert.equal(await supervisor.add("sh", ["-c", "true"], other), ids[0]);
  // The job may have started or ended in between.
  const id = ids[0] ?? "";
  await supervisor.start(id);
  await finalStatus(supervisor, id);
  assert.equal(await supervisor.add("sh", ["-c", "true"], OPTIONS), id);
});

Deno.test("add() refuses a request id that was used for another job, whatever the difference", async () => {
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

Deno.test("add() lets different owners use the same request id", async () => {
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

Deno.test("add() finds a request id after a restart, and after its job was removed", async () => {
  await using temporary = await tempDir();
  const directory = temporary.path;
  let id = "";
  {
    await using supervisor = new Supervisor({ directory });
    id = await supervisor.add("true", [], OPTIONS);
  }
  {
    await using supervisor = new Supervisor({ directory });
    assert.equal(await supervisor.add("true", [], OPTIONS), id);
    await supervisor.remove(id);
    // An error is better than to run the job a second time.
    await assert.rejects(supervisor.add("true", [], OPTIONS), /was used for a job that is removed/);
  }
  await using supervisor = new Supervisor({ directory });
  await assert.rejects(supervisor.add("true", [], OPTIONS), RequestIdReusedError);
  await supervisor.close();
});

Deno.test("add() reuses the request id of a removed job after 1,000 more removals, and not before", async () => {
  await using supervisor = new Supervisor();
  const id = await supervisor.add("true", [], OPTIONS);
  await supervisor.remove(id);
  for (let count = 0; count < 1_000; count++) {
    if (count === 999) await assert.rejects(supervisor.add("true", [], OPTIONS), RequestIdReusedError);
    await supervisor.remove(await supervisor.add("true"));
  }
  assert.notEqual(await supervisor.add("true", [], OPTIONS), id);
});

Deno.test("add() treats an undefined field like an absent one", async () => {
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

Deno.test("add() needs no room for a repeated request", async () => {
  await using supervisor = new Supervisor({ maxJobs: 1 });
  const id = await supervisor.add("true", [], OPTIONS);
  assert.equal(await supervisor.add("true", [], OPTIONS), id);
});

Deno.test("add() refuses an empty request id and one that is too long", async () => {
  await using supervisor = new Supervisor();
  for (const requestId of ["", "x".repeat(129)]) {
    await assert.rejects(supervisor.add("true", [], { requestId }), InvalidArgumentError);
  }
  await supervisor.add("true", [], { requestId: "x".repeat(128) });
});
