/** What outlives a supervisor: jobs, their statuses and their output; and what is done about those that were running. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { JobNotFoundError } from "../../../worker/errors.ts";
import { DirectoryInUseError, NotRecordedError } from "../../../worker/storage_errors.ts";
import type { JobSpec } from "../../../worker/job/spec.ts";
import { bootId, endOrphans } from "../../../worker/supervisor/recovery.ts";
import type { ProcessStatus } from "../../../worker/process/state.ts";
import { Store } from "../../../worker/store/store.ts";
import { encodeSpec } from "../../../worker/store/json.ts";
import { Supervisor } from "../../../worker/supervisor/supervisor.ts";
import { jobCounts } from "../../support/job_counts.ts";

const SPEC: JobSpec = {
  id: "01890000-0000-7000-8000-000000000000",
  command: "sh",
  args: ["-c", "echo \u0000é"],
  env: { A: "b" },
  cwd: "/",
  labels: { kind: "test" },
  owner: "ann",
  timeoutMs: 5,
  registeredAt: new Date(1_800_000_000_123),
  outputLimit: { maxBytes: 7, policy: "BLOCK" },
};

function add(store: Store, spec: JobSpec): void {
  store.add(spec, encodeSpec(spec));
}

async function temporary(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("Store gives back what was written, after it was closed and opened again", () =>
  temporary(async (directory) => {
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

Deno.test("Store refuses a database that another has open, and one of a later version", () =>
  temporary(async (directory) => {
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

Deno.test("a supervisor takes up the jobs of the one before it: statuses, output, cursors, and what can be started", () =>
  temporary(async (directory) => {
    let ended = "";
    let cursor = "";
    let initial = "";
    let status;
    let totals;
    {
      await using supervisor = new Supervisor({ directory });
      ended = await supervisor.add("sh", ["-c", "echo one; sleep 0.01; echo two >&2; exit 7"], { owner: "ann" });
      initial = await supervisor.add("sh", ["-c", 'echo "$WORD"'], { env: { WORD: "later" }, labels: { a: "b" } });
      await supervisor.start(ended);
      const output = supervisor.watchOutput(ended, { exact: true });
      const first = await output.next();
      assert.ok(!first.done);
      cursor = first.value.cursor;
      while (true) {
        const { done, value } = await output.next();
        if (done) {
          totals = value;
          break;
        }
      }
      status = await supervisor.status(ended);
    }
    await using supervisor = new Supervisor({ directory });
    // Also before it is ready, a watch finds the job.
    const rest = await Array.fromAsync(supervisor.watchOutput(ended, { cursor }));
    assert.equal(rest.map(({ data }) => new TextDecoder().decode(data)).join(""), "two\n");
    assert.deepEqual(await supervisor.status(ended), status);
    assert.deepEqual((await supervisor.watchOutput(ended, { tailLines: 0 }).next()).value, totals);
    assert.deepEqual((await supervisor.list()).jobs.map(({ id }) => id), [initial, ended]);
    assert.deepEqual(await supervisor.start(ended), status);
    assert.deepEqual(await supervisor.stop(ended), status);
    await supervisor.start(initial);
    const pieces = await Array.fromAsync(supervisor.watchOutput(initial));
    assert.equal(pieces.map(({ data }) => new TextDecoder().decode(data)).join(""), "later\n");
    await supervisor.remove(ended);
    await assert.rejects(supervisor.status(ended), JobNotFoundError);
    assert.deepEqual([...Deno.readDirSync(join(directory, "output"))].map(({ name }) => name), [initial]);
  }));

Deno.test("a supervisor refuses a directory that another one uses, and takes it when that is closed", () =>
  temporary(async (directory) => {
    {
      await using _first = new Supervisor({ directory });
      assert.throws(() => new Supervisor({ directory }), DirectoryInUseError);
    }
    await using second = new Supervisor({ directory });
    await second.ready();
  }));

Deno.test("a supervisor deletes the output of a job whose removal was cut short, and nothing else", () =>
  temporary(async (directory) => {
    {
      using store = new Store(join(directory, "jobs.db"));
      add(store, SPEC);
      store.remove(SPEC.id);
    }
    await Deno.mkdir(join(directory, "output", SPEC.id), { recursive: true });
    await Deno.mkdir(join(directory, "output", "another's"), { recursive: true });
    {
      await using supervisor = new Supervisor({ directory });
      await supervisor.ready();
    }
    assert.deepEqual([...Deno.readDirSync(join(directory, "output"))].map(({ name }) => name), ["another's"]);
    using store = new Store(join(directory, "jobs.db"));
    assert.deepEqual(store.unfinishedRemovals(), []);
  }));

Deno.test("a job that ran when its server died is LOST, its processes are ended, its output is kept", () =>
  temporary(async (directory) => {
    // As a server would leave it that was killed: the row says RUNNING, the processes are there.
    const child = new Deno.Command("sh", {
      args: ["-c", "trap '' TERM; setsid sleep 1000 & echo up; while :; do sleep 0.01; done"],
      env: { TELEPORT_ID: SPEC.id },
      stdout: "piped",
      detached: true,
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    const { readEntry } = await import("../../../worker/linux/procfs.ts");
    const startedAt = new Date(5);
    {
      using store = new Store(join(directory, "jobs.db"));
      add(store, SPEC);
      store.change(SPEC.id, { state: "RUNNING", startedAt, pid: child.pid }, {
        process: { bootId: bootId(), leader: child.pid, startTime: readEntry(child.pid)?.startTime ?? 0 },
      });
    }
    await using supervisor = new Supervisor({ directory });
    const status = await supervisor.status(SPEC.id);
    assert.equal(status.state, "LOST");
    assert.equal(status.reason, "LOST");
    assert.equal(status.pid, child.pid);
    assert.deepEqual(status.startedAt, startedAt);
    assert.equal((await child.status).signal, "SIGKILL");
    // The daemon held the pipe: it is gone too.
    while (!(await reader.read()).done);
  }));

Deno.test("endOrphans() finds a job by its mark whose start was cut short, and leaves the jobs of another boot alone", async () => {
  const id = crypto.randomUUID();
  const child = new Deno.Command("sleep", { args: ["1000"], env: { TELEPORT_ID: id }, detached: true }).spawn();
  await endOrphans(id, { bootId: "another" }, bootId());
  await endOrphans(id, undefined, bootId());
  assert.equal(Deno.readTextFileSync(`/proc/${child.pid}/comm`), "sleep\n");
  await endOrphans(id, { bootId: bootId() }, bootId());
  assert.equal((await child.status).signal, "SIGTERM");
});

Deno.test("add() and start() do nothing when it cannot be written down", () =>
  temporary(async (directory) => {
    const errors: unknown[] = [];
    await using supervisor = new Supervisor({ directory, onError: (error) => errors.push(error) });
    const id = await supervisor.add("true");
    // As on a full disk.
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
    for await (const _ of supervisor.watchStatus(id));
    assert.equal((await supervisor.status(id)).exitCode, 0);
    assert.equal(errors.length, 2);
  }));

Deno.test("an end that cannot be written down is told all the same, and is written as soon as it can be", () =>
  temporary(async (directory) => {
    const errors: unknown[] = [];
    let id = "";
    const { prototype } = Store;
    const original = prototype.change;
    {
      await using supervisor = new Supervisor({ directory, onError: (error) => errors.push(error) });
      id = await supervisor.add("sh", ["-c", "echo out; exit 7"]);
      // As on a disk that is full from the start on.
      prototype.change = function (...args) {
        if (args[1].state !== "STARTING") throw new Error("database or disk is full");
        original.apply(this, args);
      };
      try {
        await supervisor.start(id);
        for await (const _ of supervisor.watchStatus(id));
        assert.equal((await supervisor.status(id)).exitCode, 7);
        assert.equal((await supervisor.list()).jobs[0]?.state, "EXITED");
        assert.deepEqual((await supervisor.list({ states: ["STARTING"] })).jobs, []);
        assert.equal(errors.length, 2); // RUNNING, and again with the end.
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

Deno.test("a job can be forgotten while its end is still to be written, and keeps no other from being", () =>
  temporary(async (directory) => {
    const { prototype } = Store;
    const original = prototype.change;
    await using supervisor = new Supervisor({ directory, maxOutputBytes: 100_000 });
    const run = async (...args: string[]) => {
      const id = await supervisor.add("head", args);
      await supervisor.start(id);
      for await (const _ of supervisor.watchStatus(id));
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
    // What it took is given back.
    const next = await run("-c", "90000", "/dev/zero");
    assert.equal((await supervisor.status(next)).exitCode, 0);
    assert.deepEqual((await supervisor.list({ states: ["EXITED"] })).jobs.map(({ id }) => id), [next]);
  }));

Deno.test("a job that could not be started is in no list by that time", () =>
  temporary(async (directory) => {
    await using supervisor = new Supervisor({ directory });
    const id = await supervisor.add("no-such-program");
    await supervisor.start(id);
    for await (const _ of supervisor.watchStatus(id));
    assert.deepEqual((await supervisor.list({ orderBy: "startedAt" })).jobs, []);
    assert.deepEqual((await supervisor.list({ orderBy: "endedAt" })).jobs.map((job) => job.id), [id]);
  }));

Deno.test("what cannot be written down before the end of the supervisor is LOST in the next life, and not made up", () =>
  temporary(async (directory) => {
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
      for await (const _ of supervisor.watchStatus(id));
    } finally {
      prototype.change = original;
    }
    await using supervisor = new Supervisor({ directory });
    assert.equal((await supervisor.status(id)).state, "LOST");
  }));

Deno.test("output that cannot be taken up is one job's loss, and the supervisor serves the others", () =>
  temporary(async (directory) => {
    {
      using store = new Store(join(directory, "jobs.db"));
      add(store, SPEC);
      store.change(SPEC.id, { state: "RUNNING", startedAt: new Date(5), pid: 1 }, { process: { bootId: "another" } });
    }
    // A file where the directory of its output should be.
    await Deno.mkdir(join(directory, "output"));
    await Deno.writeTextFile(join(directory, "output", SPEC.id), "");
    const errors: unknown[] = [];
    await using supervisor = new Supervisor({ directory, onError: (error) => errors.push(error) });
    assert.equal((await supervisor.status(SPEC.id)).state, "LOST");
    assert.equal(errors.length, 1);
    const id = await supervisor.add("true");
    await supervisor.start(id);
    for await (const _ of supervisor.watchStatus(id));
    assert.equal((await supervisor.status(id)).exitCode, 0);
  }));

Deno.test("output that can be taken up again is, at the next start, and counts as what it takes", () =>
  temporary(async (directory) => {
    const options = { directory, onError: () => {} };
    let id = "";
    {
      await using supervisor = new Supervisor(options);
      id = await supervisor.add("echo", ["one"]);
      await supervisor.start(id);
      for await (const _ of supervisor.watchStatus(id));
    }
    const path = join(directory, "jobs.db");
    const before = ((store) => {
      using opened = store;
      return opened.bytesAtOpen;
    })(new Store(path));
    // As a server leaves it that could not read the output when it took the job up.
    {
      const database = new DatabaseSync(path);
      database.exec("UPDATE changes SET output = NULL; UPDATE jobs SET output_bytes = 0");
      database.close();
    }
    const [output, aside] = [join(directory, "output", id), join(directory, "aside")];
    await Deno.rename(output, aside);
    await Deno.writeTextFile(output, "");
    {
      await using supervisor = new Supervisor(options);
      assert.equal((await supervisor.status(id)).exitCode, 0);
      await assert.rejects(Array.fromAsync(supervisor.watchOutput(id)));
    }
    await Deno.remove(output);
    await Deno.rename(aside, output);
    {
      await using supervisor = new Supervisor(options);
      assert.equal((await supervisor.status(id)).stdoutBytes, 4);
      const [piece] = await Array.fromAsync(supervisor.watchOutput(id));
      assert.equal(new TextDecoder().decode(piece?.data), "one\n");
    }
    using store = new Store(path);
    assert.equal(store.bytesAtOpen, before);
    assert.deepEqual(store.unfinishedJobs(), []);
  }));
