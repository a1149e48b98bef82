/** Tests for a restart of the supervisor: jobs, statuses and output survive, and running jobs are recovered. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { JobNotFoundError } from "../../../worker/errors.ts";
import { DirectoryInUseError } from "../../../worker/storage_errors.ts";
import { endOrphans } from "../../../worker/host/orphans.ts";
import { bootId } from "../../../worker/linux/boot_id.ts";
import { Store } from "../../../worker/store/store.ts";
import { Supervisor } from "../../../worker/supervisor/supervisor.ts";
import { add, SPEC, withDirectory } from "../store/store_fixture.ts";
import { finalStatus } from "../../support/final_status.ts";

Deno.test("a supervisor has the jobs, statuses, output and cursors of the previous one", () =>
  withDirectory(async (directory) => {
    let ended = "";
    let cursor = "";
    let initial = "";
    let status;
    let totals;
    {
      await using supervisor = new Supervisor({ directory });
      const go = join(directory, "go");
      const script = 'echo one; until [ -e "$GO" ]; do sleep 0.01; done; echo two >&2; exit 7';
      ended = await supervisor.add("sh", ["-c", script], { owner: "ann", env: { GO: go } });
      initial = await supervisor.add("sh", ["-c", 'echo "$WORD"'], { env: { WORD: "later" }, labels: { a: "b" } });
      await supervisor.start(ended);
      const output = supervisor.watchOutput(ended, { exact: true });
      const first = await output.next();
      assert.ok(!first.done);
      cursor = first.value.cursor;
      await Deno.writeTextFile(go, "");
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
    // A watch finds the job even before recovery has finished.
    const rest = await Array.fromAsync(supervisor.watchOutput(ended, { cursor }));
    assert.equal(rest.map(({ data }) => new TextDecoder().decode(data)).join(""), "two\n");
    assert.deepEqual(await supervisor.status(ended), status);
    assert.deepEqual((await supervisor.watchOutput(ended, { tailLines: 0 }).next()).value, totals);
    assert.deepEqual((await supervisor.list()).jobs.map(({ id }) => id), [initial, ended]);
    assert.deepEqual(await supervisor.start(ended), status);
    assert.deepEqual(await supervisor.stop(ended), status);
    await supervisor.start(initial);
    const chunks = await Array.fromAsync(supervisor.watchOutput(initial));
    assert.equal(chunks.map(({ data }) => new TextDecoder().decode(data)).join(""), "later\n");
    await supervisor.remove(ended);
    await assert.rejects(supervisor.status(ended), JobNotFoundError);
    assert.deepEqual([...Deno.readDirSync(join(directory, "output"))].map(({ name }) => name), [initial]);
  }));

Deno.test("new Supervisor() refuses a directory until the supervisor that uses it is closed", () =>
  withDirectory(async (directory) => {
    {
      await using _first = new Supervisor({ directory });
      assert.throws(() => new Supervisor({ directory }), DirectoryInUseError);
    }
    await using second = new Supervisor({ directory });
    await second.ready();
  }));

Deno.test("recovery deletes the output of a job whose removal was interrupted, and no other output", () =>
  withDirectory(async (directory) => {
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

Deno.test("recovery makes a running job LOST, ends its processes and keeps its output", () =>
  withDirectory(async (directory) => {
    // A killed server leaves this: the row says RUNNING, and the processes exist.
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
    // The daemon held the pipe, so it has ended too.
    while (!(await reader.read()).done);
  }));

Deno.test("endOrphans() finds a job by its mark whose start was interrupted, and ignores jobs of another boot", async () => {
  const id = crypto.randomUUID();
  const child = new Deno.Command("sleep", { args: ["1000"], env: { TELEPORT_ID: id }, detached: true }).spawn();
  await endOrphans(id, { bootId: "another" }, bootId());
  await endOrphans(id, undefined, bootId());
  assert.equal(Deno.readTextFileSync(`/proc/${child.pid}/comm`), "sleep\n");
  await endOrphans(id, { bootId: bootId() }, bootId());
  assert.equal((await child.status).signal, "SIGTERM");
});

Deno.test("list() by start time leaves out a job that could not be started", () =>
  withDirectory(async (directory) => {
    await using supervisor = new Supervisor({ directory });
    const id = await supervisor.add("no-such-program");
    await supervisor.start(id);
    await finalStatus(supervisor, id);
    assert.deepEqual((await supervisor.list({ orderBy: "startedAt" })).jobs, []);
    assert.deepEqual((await supervisor.list({ orderBy: "endedAt" })).jobs.map((job) => job.id), [id]);
  }));

Deno.test("recovery continues with other jobs when the output of one job cannot be recovered", () =>
  withDirectory(async (directory) => {
    {
      using store = new Store(join(directory, "jobs.db"));
      add(store, SPEC);
      store.change(SPEC.id, { state: "RUNNING", startedAt: new Date(5), pid: 1 }, { process: { bootId: "another" } });
    }
    // There is a file in place of the directory of its output.
    await Deno.mkdir(join(directory, "output"));
    await Deno.writeTextFile(join(directory, "output", SPEC.id), "");
    const errors: unknown[] = [];
    await using supervisor = new Supervisor({ directory, onError: (error) => errors.push(error) });
    assert.equal((await supervisor.status(SPEC.id)).state, "LOST");
    assert.equal(errors.length, 1);
    const id = await supervisor.add("true");
    await supervisor.start(id);
    assert.equal((await finalStatus(supervisor, id)).exitCode, 0);
  }));

Deno.test("recovery tries the output of an ended job again at the next start, and counts its size", () =>
  withDirectory(async (directory) => {
    const options = { directory, onError: () => {} };
    let id = "";
    {
      await using supervisor = new Supervisor(options);
      id = await supervisor.add("echo", ["one"]);
      await supervisor.start(id);
      await finalStatus(supervisor, id);
    }
    const path = join(directory, "jobs.db");
    const before = ((store) => {
      using opened = store;
      return opened.bytesAtOpen;
    })(new Store(path));
    // A server that could not read the output leaves this.
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
      const [chunk] = await Array.fromAsync(supervisor.watchOutput(id));
      assert.equal(new TextDecoder().decode(chunk?.data), "one\n");
    }
    using store = new Store(path);
    assert.equal(store.bytesAtOpen, before);
    assert.deepEqual(store.unfinishedJobs(), []);
  }));
