/** Tests for recovery: the next server signals the processes of the previous server's jobs and no others. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Supervisor } from "../../../mod.ts";
import { bootId } from "../../../worker/linux/boot_id.ts";
import { readEntry } from "../../../worker/linux/procfs.ts";
import { Store } from "../../../worker/store/store.ts";
import { encodeSpec } from "../../../worker/store/json.ts";
import type { StoredProcess } from "../../../worker/job/status_details.ts";
import { HEADLESS } from "../../support/runaways.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** A program in its own session. */
interface Program extends AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly pid: number;
  /** The start time, in clock ticks since boot. */
  readonly startTime: number;
  /** The line that it wrote when it was ready. */
  readonly line: string;
  /** Resolves when all processes that hold its stdout have ended. */
  readonly gone: Promise<void>;
}

/** Runs a shell script that writes one line when it is ready. Disposing of it ends its process group. */
async function program(script: string, env: Record<string, string> = {}): Promise<Program> {
  const child = new Deno.Command("sh", {
    args: ["-c", script],
    env,
    detached: true,
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const startTime = readEntry(child.pid)?.startTime ?? 0;
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const gone = (async () => {
    while (!(await reader.read()).done);
  })();
  return {
    child,
    pid: child.pid,
    startTime,
    line: new TextDecoder().decode(value).trim(),
    gone,
    async [Symbol.asyncDispose]() {
      try {
        Deno.kill(-child.pid, "SIGKILL");
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
      await Promise.all([child.status, gone]);
    },
  };
}

/** Returns whether a process is alive. A zombie is not. */
function lives(pid: number): boolean {
  const entry = readEntry(pid);
  return entry !== undefined && !entry.zombie;
}

/** Stores a job in state RUNNING, as a killed server leaves it, lets a supervisor recover it, and returns its error. */
async function recover(process: StoredProcess, id: string = crypto.randomUUID()): Promise<string | undefined> {
  await using temporary = await tempDir();
  const directory = temporary.path;
  {
    using store = new Store(join(directory, "jobs.db"));
    const spec = { id, command: "sh", args: [], registeredAt: new Date() };
    store.add(spec, encodeSpec(spec));
    const pid = process.leader ?? 0;
    store.change(id, { state: "RUNNING", startedAt: new Date(), pid }, { process });
  }
  const errors: unknown[] = [];
  await using supervisor = new Supervisor({ directory, onError: (error) => errors.push(error) });
  const status = await supervisor.status(id);
  assert.equal(status.state, "LOST");
  assert.deepEqual(errors, []);
  return "error" in status ? status.error : undefined;
}

const SLEEP = "echo up; exec sleep 1000";
/** Its leader ends at once and leaves a process in its group. */
const LEAVES = "sleep 1000 & echo $!";

Deno.test("ready() does not signal a process that has reused the pid of a job", async () => {
  await using foreign = await program(SLEEP);
  await recover({ bootId: bootId(), leader: foreign.pid, startTime: foreign.startTime - 1 });
  assert.ok(lives(foreign.pid));
  // A server that died right after the start has not stored the start time.
  await recover({ bootId: bootId(), leader: foreign.pid });
  assert.ok(lives(foreign.pid));
});

Deno.test("ready() does not signal a process that has the pid and start time of a job of another boot", async () => {
  await using foreign = await program(SLEEP);
  await recover({ bootId: "another", leader: foreign.pid, startTime: foreign.startTime });
  assert.ok(lives(foreign.pid));
  await recover({ bootId: "", leader: foreign.pid, startTime: foreign.startTime });
  assert.ok(lives(foreign.pid));
  // The same row with the id of this boot ends the process, so the test does prove something.
  await recover({ bootId: bootId(), leader: foreign.pid, startTime: foreign.startTime });
  assert.equal((await foreign.child.status).signal, "SIGTERM");
});

Deno.test("ready() says of a LOST job whether the server died or the machine was restarted", async () => {
  assert.match((await recover({ bootId: "another" }))!, /^The machine was restarted while the job was running/);
  assert.match((await recover({ bootId: bootId() }))!, /^The server died while the job was running/);
  assert.match((await recover({ bootId: "" }))!, /^The server died while the job was running/);
});

Deno.test("ready() does not signal a process group that has reused the pid of a job", async () => {
  await using foreign = await program(LEAVES);
  await foreign.child.status;
  await recover({ bootId: bootId(), leader: foreign.pid, startTime: foreign.startTime - 1 });
  assert.ok(lives(Number(foreign.line)));
});

Deno.test("ready() ends the process group of a leader that has ended, when a member has the mark", async () => {
  const id = crypto.randomUUID();
  const script = "sleep 1000 & env -i sleep 1000 & sh -c 'sleep 1000 & wait' & echo up";
  await using orphans = await program(script, { TELEPORT_ID: id });
  await orphans.child.status;
  await recover({ bootId: bootId(), leader: orphans.pid, startTime: orphans.startTime }, id);
  await orphans.gone;
});

Deno.test("ready() ends a whole process group although its marked members end first", async () => {
  const id = crypto.randomUUID();
  const script = `env -i sh -c "trap '' TERM; echo up; while :; do sleep 0.01; done" & exec sleep 1000`;
  await using orphans = await program(script, { TELEPORT_ID: id });
  await recover({ bootId: bootId(), leader: orphans.pid, startTime: orphans.startTime }, id);
  await orphans.gone;
});

Deno.test("ready() ends processes whose first thread has ended, by pid and by mark", async () => {
  const id = crypto.randomUUID();
  const env = { TELEPORT_ID: id, DENO: Deno.execPath(), PROGRAM: HEADLESS, DENO_NO_UPDATE_CHECK: "1" };
  await using leader = await program('exec "$DENO" eval "$PROGRAM"', env);
  await recover({ bootId: bootId(), leader: leader.pid, startTime: leader.startTime });
  assert.equal((await leader.child.status).signal, "SIGTERM");
  await using daemon = await program('exec "$DENO" eval "$PROGRAM"', env);
  await recover({ bootId: bootId() }, id);
  await daemon.child.status;
});

Deno.test("ready() does not signal marked processes of another job", async () => {
  await using foreign = await program(SLEEP, { TELEPORT_ID: crypto.randomUUID() });
  await recover({ bootId: bootId(), leader: foreign.pid, startTime: foreign.startTime - 1 });
  assert.ok(lives(foreign.pid));
});
