/** Whom the next life of a server signals for the jobs of the one before: their processes, and nobody else's. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Supervisor } from "../../../mod.ts";
import { bootId } from "../../../worker/supervisor/recovery.ts";
import { readEntry } from "../../../worker/linux/procfs.ts";
import { Store } from "../../../worker/store/store.ts";
import { encodeSpec } from "../../../worker/store/json.ts";
import type { StoredProcess } from "../../../worker/store/rows.ts";
import { HEADLESS } from "../zoo.ts";

/** A program in a session of its own, and what it wrote first. */
interface Program extends AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly pid: number;
  /** In clock ticks since boot. */
  readonly startTime: number;
  /** The line that it wrote when it was up. */
  readonly line: string;
  /** Resolves when all that hold its stdout are gone. */
  readonly gone: Promise<void>;
}

/** Runs a shell script that writes one line when it is up. Disposing of it ends its whole group. */
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

/** Whether a process lives. A zombie waits for its parent, and runs no more. */
function lives(pid: number): boolean {
  const entry = readEntry(pid);
  return entry !== undefined && !entry.zombie;
}

/** A job that runs as far as the record goes, as a killed server leaves it; taken up by the next. */
async function recover(process: StoredProcess, id: string = crypto.randomUUID()): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
  try {
    {
      using store = new Store(join(directory, "jobs.db"));
      const spec = { id, command: "sh", args: [], registeredAt: new Date() };
      store.add(spec, encodeSpec(spec));
      const pid = process.leader ?? 0;
      store.change(id, { state: "RUNNING", startedAt: new Date(), pid }, { process });
    }
    const errors: unknown[] = [];
    await using supervisor = new Supervisor({ directory, onError: (error) => errors.push(error) });
    assert.equal((await supervisor.status(id)).state, "LOST");
    assert.deepEqual(errors, []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const SLEEP = "echo up; exec sleep 1000";
/** Its leader ends at once, and leaves one in its group. */
const LEAVES = "sleep 1000 & echo $!";

Deno.test("the pid of a job is another process's now: that one is left alone", async () => {
  await using foreign = await program(SLEEP);
  await recover({ bootId: bootId(), leader: foreign.pid, startTime: foreign.startTime - 1 });
  assert.ok(lives(foreign.pid));
  // The same without its start time, which a server that died right after the start never wrote.
  await recover({ bootId: bootId(), leader: foreign.pid });
  assert.ok(lives(foreign.pid));
});

Deno.test("pid and start time are those of a job of another boot: that process is left alone", async () => {
  await using foreign = await program(SLEEP);
  await recover({ bootId: "another", leader: foreign.pid, startTime: foreign.startTime });
  assert.ok(lives(foreign.pid));
  await recover({ bootId: "", leader: foreign.pid, startTime: foreign.startTime });
  assert.ok(lives(foreign.pid));
  // The very same row of this boot is believed, or the test would prove nothing.
  await recover({ bootId: bootId(), leader: foreign.pid, startTime: foreign.startTime });
  assert.equal((await foreign.child.status).signal, "SIGTERM");
});

Deno.test("the pid of a job became another's, who left a group of that number: the group is left alone", async () => {
  await using foreign = await program(LEAVES);
  await foreign.child.status;
  await recover({ bootId: bootId(), leader: foreign.pid, startTime: foreign.startTime - 1 });
  assert.ok(lives(Number(foreign.line)));
});

Deno.test("a group whose leader is gone is ended whole where one of it carries the mark", async () => {
  const id = crypto.randomUUID();
  const script = "sleep 1000 & env -i sleep 1000 & sh -c 'sleep 1000 & wait' & echo up";
  await using orphans = await program(script, { TELEPORT_ID: id });
  await orphans.child.status;
  await recover({ bootId: bootId(), leader: orphans.pid, startTime: orphans.startTime }, id);
  await orphans.gone;
});

Deno.test("a group whose marked processes end first is ended to the last", async () => {
  const id = crypto.randomUUID();
  const script = `env -i sh -c "trap '' TERM; echo up; while :; do sleep 0.01; done" & exec sleep 1000`;
  await using orphans = await program(script, { TELEPORT_ID: id });
  await recover({ bootId: bootId(), leader: orphans.pid, startTime: orphans.startTime }, id);
  await orphans.gone;
});

Deno.test("what lives on without its first thread is ended, as the leader and by its mark", async () => {
  const id = crypto.randomUUID();
  const env = { TELEPORT_ID: id, DENO: Deno.execPath(), PROGRAM: HEADLESS, DENO_NO_UPDATE_CHECK: "1" };
  await using leader = await program('exec "$DENO" eval "$PROGRAM"', env);
  await recover({ bootId: bootId(), leader: leader.pid, startTime: leader.startTime });
  assert.equal((await leader.child.status).signal, "SIGTERM");
  await using daemon = await program('exec "$DENO" eval "$PROGRAM"', env);
  await recover({ bootId: bootId() }, id);
  await daemon.child.status;
});

Deno.test("another job's processes are left alone, though they carry a mark", async () => {
  await using foreign = await program(SLEEP, { TELEPORT_ID: crypto.randomUUID() });
  await recover({ bootId: bootId(), leader: foreign.pid, startTime: foreign.startTime - 1 });
  assert.ok(lives(foreign.pid));
});
