/** Tests for changes that cannot be written: starts are refused, ends are published and written later. */
import assert from "node:assert/strict";
import { NotRecordedError } from "../../../worker/storage_errors.ts";
import { Store } from "../../../worker/store/store.ts";
import { Supervisor } from "../../../worker/supervisor/supervisor.ts";
import { jobCounts } from "../../support/job_counts.ts";
import { withDirectory } from "../store/store_fixture.ts";
import { finalStatus } from "../../support/final_status.ts";

Deno.test("add() and start() do nothing when the change cannot be written", () =>
  withDirectory(async (directory) => {
    const errors: unknown[] = [];
    await using supervisor = new Supervisor({ directory, onError: (error) => errors.push(error) });
    const id = await supervisor.add("true");
    // The same happens on a full disk.
    const { prototype } = Store;
    const original = { add: prototype.add, change: prototype.change };
    const full = () => {
      throw new Error("database or disk is full");
    };
    Object.assign(prototype, { add: full, change: full });
    try {
      await assert.rejects(supervisor.add("true"), NotRecordedError);
      await assert.rejects(supervisor.start(id), NotRecordedError);
      assert.equal((await supervisor.status(id)).state, "INITIAL");
    } finally {
      Object.assign(prototype, original);
    }
    await supervisor.start(id);
    assert.equal((await finalStatus(supervisor, id)).exitCode, 0);
    assert.equal(errors.length, 2);
  }));

Deno.test("an end that cannot be written is published, and written as soon as possible", () =>
  withDirectory(async (directory) => {
    const errors: unknown[] = [];
    let id = "";
    const { prototype } = Store;
    const original = prototype.change;
    {
      await using supervisor = new Supervisor({ directory, onError: (error) => errors.push(error) });
      id = await supervisor.add("sh", ["-c", "echo out; exit 7"]);
      // The same happens on a disk that is full from the start.
      prototype.change = function (...args) {
        if (args[1].state !== "STARTING") throw new Error("database or disk is full");
        original.apply(this, args);
      };
      try {
        await supervisor.start(id);
        assert.equal((await finalStatus(supervisor, id)).exitCode, 7);
        assert.equal((await supervisor.list()).jobs[0]?.state, "EXITED");
        assert.deepEqual((await supervisor.list({ states: ["STARTING"] })).jobs, []);
        assert.equal(errors.length, 2); // For RUNNING, and again for the end.
      } finally {
        prototype.change = original;
      }
      await supervisor.add("true");
      assert.deepEqual((await supervisor.list({ states: ["EXITED"] })).jobs.map((job) => job.id), [id]);
      const told: string[] = [];
      for await (const event of supervisor.watchJobs({ ids: [id] })) {
        if (event.type === "current") break;
        if (event.type === "known") told.push(event.status.state);
      }
      assert.deepEqual(told, ["EXITED"]);
    }
    await using supervisor = new Supervisor({ directory });
    assert.equal((await supervisor.status(id)).exitCode, 7);
  }));

Deno.test("remove() removes a job whose end is not written yet, and the ends of other jobs are written", () =>
  withDirectory(async (directory) => {
    const { prototype } = Store;
    const original = prototype.change;
    await using supervisor = new Supervisor({ directory, maxOutputBytes: 100_000 });
    const run = async (...args: string[]) => {
      const id = await supervisor.add("head", args);
      await supervisor.start(id);
      await finalStatus(supervisor, id);
      return id;
    };
    prototype.change = function (...args) {
      if (args[1].state !== "STARTING") throw new Error("database or disk is full");
      original.apply(this, args);
    };
    try {
      await supervisor.remove(await run("-c", "90000", "/dev/zero"));
    } finally {
      prototype.change = original;
    }
    assert.equal((await jobCounts(supervisor)).jobs, 0);
    // Its disk space is free again.
    const next = await run("-c", "90000", "/dev/zero");
    assert.equal((await supervisor.status(next)).exitCode, 0);
    assert.deepEqual((await supervisor.list({ states: ["EXITED"] })).jobs.map(({ id }) => id), [next]);
  }));

Deno.test("an end that was never written is LOST after the restart", () =>
  withDirectory(async (directory) => {
    const { prototype } = Store;
    const original = prototype.change;
    let id = "";
    try {
      await using supervisor = new Supervisor({ directory });
      id = await supervisor.add("true");
      prototype.change = function (...args) {
        if (args[1].state === "EXITED") throw new Error("database or disk is full");
        original.apply(this, args);
      };
      await supervisor.start(id);
      await finalStatus(supervisor, id);
    } finally {
      prototype.change = original;
    }
    await using supervisor = new Supervisor({ directory });
    assert.equal((await supervisor.status(id)).state, "LOST");
  }));
