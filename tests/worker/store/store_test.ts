/** Tests for the store: rows survive a restart, and only one process can open it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DirectoryInUseError } from "../../../worker/storage_errors.ts";
import type { ProcessStatus } from "../../../worker/process/state.ts";
import { Store } from "../../../worker/store/store.ts";
import { add, SPEC, withDirectory } from "./store_fixture.ts";

Deno.test("Store returns what was written after it was closed and opened again", () =>
  withDirectory(async (directory) => {
    const path = join(directory, "jobs.db");
    const running: ProcessStatus = { state: "RUNNING", startedAt: new Date(1), pid: 7 };
    const output = {
      end: { position: 9, offsets: { stdout: 1, stderr: 2 } },
      totals: {
        stdoutBytes: 1,
        stderrBytes: 2,
        droppedBytes: 3,
        stdoutSha256: Uint8Array.of(0, 255),
        stderrSha256: new Uint8Array(),
      },
    };
    {
      using store = new Store(path);
      add(store, SPEC);
      add(store, { ...SPEC, id: "01890000-0000-7000-8000-000000000001" });
      add(store, { ...SPEC, id: "01890000-0000-7000-8000-000000000002" });
      store.change(SPEC.id, running, { process: { bootId: "boot", leader: 7, startTime: 8 }, output });
      store.remove("01890000-0000-7000-8000-000000000001");
    }
    using store = new Store(path);
    const inOrder = { orderBy: "registeredAt", descending: false } as const;
    const [first, second, ...others] = store.selection.select(inOrder, 10).jobs;
    assert.deepEqual(others, []);
    assert.deepEqual(first?.spec, SPEC);
    assert.deepEqual(first.status, running);
    assert.deepEqual(first.process, { bootId: "boot", leader: 7, startTime: 8 });
    assert.deepEqual(first.output, output);
    assert.equal(second?.status.state, "INITIAL");
    assert.equal(second.process, undefined);
    await Promise.resolve();
  }));

Deno.test("endedJobs() gives no job an end before its start, when the clock was wrong at its end", () =>
  withDirectory(async (directory) => {
    using store = new Store(join(directory, "jobs.db"));
    // Registered in the future: the clock was set then, and is not set now.
    const [registeredAt, startedAt] = [new Date(Date.now() + 1_000_000), new Date(Date.now() + 2_000_000)];
    const notStarted = "01890000-0000-7000-8000-000000000001";
    add(store, { ...SPEC, registeredAt });
    add(store, { ...SPEC, id: notStarted, registeredAt });
    store.change(SPEC.id, { state: "RUNNING", startedAt, pid: 7 });
    const lost = { state: "LOST", reason: "LOST", error: "The machine was restarted" } as const;
    store.change(SPEC.id, { ...lost, startedAt, pid: 7 });
    store.change(notStarted, lost);
    const ends = store.endedJobs(undefined, 10).map(({ id, endedAt }) => [id, endedAt]);
    assert.deepEqual(ends, [[notStarted, registeredAt], [SPEC.id, startedAt]]);
    await Promise.resolve();
  }));

Deno.test("new Store() refuses a database that is open elsewhere, and one of a newer version", () =>
  withDirectory(async (directory) => {
    const path = join(directory, "jobs.db");
    {
      using _store = new Store(path);
      assert.throws(() => new Store(path), DirectoryInUseError);
    }
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version=99");
    database.close();
    assert.throws(() => new Store(path), /version 99/);
    await Promise.resolve();
  }));
