/**
 * Kills a server without a job host at random moments under load. After each restart every acknowledged job has a true
 * state, every acknowledged byte is there, and no process of before is left.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { JobWorkerClient } from "../../proto/service.ts";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { CallError, connect } from "../../rpc/client/client.ts";
import { type Server, spawnServer, startServer, teleport } from "../support/programs.ts";
import { Random, seedFor } from "../support/random.ts";
import { tempDir } from "../support/temp_dir.ts";
import { deadline } from "../support/deadline.ts";

/** The number of kills. The full size is 100. */
const ROUNDS = Number(Deno.env.get("TELEPORT_TEST_KILLS") ?? 5);

/** The number of clients. */
const CLIENTS = 4;

/** The states that a job may have after a kill, by its last acknowledged state. */
const TRUE_AFTER: Readonly<Record<string, readonly string[]>> = {
  INITIAL: ["INITIAL"],
  // Start was called but not answered.
  MAYBE_STARTED: ["INITIAL", "LOST", "EXITED"],
  RUNNING: ["LOST", "EXITED"],
  // Stop was called but not answered. SIGTERM may have been sent.
  MAYBE_STOPPED: ["LOST", "KILLED"],
  KILLED: ["KILLED"],
  EXITED: ["EXITED"],
  LOST: ["LOST"],
};

/** The acknowledged facts, which must stay true. */
class Acknowledged {
  readonly states = new Map<string, string>();
  /** The jobs whose Remove was answered. */
  readonly removed = new Set<string>();
  /** The jobs whose Remove was called but not answered. */
  readonly maybeRemoved = new Set<string>();
  /** The output that was read of jobs that write, and the cursor after it. */
  readonly output = new Map<string, { text: string; cursor: string }>();
  /** The requests that were not answered, with their commands. */
  readonly requests = new Map<string, string[]>();
}

const SHORT = ["-c", "echo out"];
const LONG = ["-c", "echo out; exec sleep 1000"];
/** A script that keeps writing slowly. */
const WRITER = ["-c", "n=0; while :; do n=$((n + 1)); echo line $n; sleep 0.005; done"];

type Calls = JobWorkerClient;

async function register(calls: Calls, known: Acknowledged, args: string[]): Promise<string> {
  const request_id = crypto.randomUUID();
  known.requests.set(request_id, args);
  const { id } = await calls.Register({ command: "sh", args, request_id, labels: { request_id } });
  known.requests.delete(request_id);
  known.states.set(id, "INITIAL");
  return id;
}

/** Starts a job and follows it to a state or to its end. */
async function start(calls: Calls, known: Acknowledged, id: string, until?: JobStatus["state"]): Promise<void> {
  known.states.set(id, "MAYBE_STARTED");
  for await (const { state } of calls.Start({ id })) {
    if (state !== "STATE_STARTING") known.states.set(id, state.slice("STATE_".length));
    if (state === until) break;
  }
}

async function remove(calls: Calls, known: Acknowledged, id: string): Promise<void> {
  known.states.delete(id);
  known.maybeRemoved.add(id);
  await calls.Remove({ id });
  known.maybeRemoved.delete(id);
  known.removed.add(id);
}

/** Follows a job that writes until the server is killed. */
async function follow(calls: Calls, known: Acknowledged, id: string): Promise<void> {
  const read = { text: "", cursor: "" };
  known.output.set(id, read);
  for await (const { data, cursor } of calls.GetOutput({ id })) {
    read.text += new TextDecoder().decode(data);
    read.cursor = cursor;
  }
}

/** Runs the load of one client until the server is killed. */
async function load(calls: Calls, known: Acknowledged, client: number): Promise<void> {
  try {
    // The first client starts a job that writes at once, because the kill may come early.
    for (let count = client + 1;; count++) {
      switch (count % 5) {
        case 0:
          await start(calls, known, await register(calls, known, SHORT));
          break;
        case 1: {
          const id = await register(calls, known, LONG);
          await start(calls, known, id, "STATE_RUNNING");
          if (count % 2 === 0) break;
          known.states.set(id, "MAYBE_STOPPED");
          const { state } = await calls.Stop({ id });
          known.states.set(id, state.slice("STATE_".length));
          break;
        }
        case 2: {
          const id = await register(calls, known, SHORT);
          await start(calls, known, id);
          await remove(calls, known, id);
          break;
        }
        case 3:
          await register(calls, known, SHORT);
          break;
        case 4: {
          if (count > 15) break; // A few are enough: they never end by themselves.
          const id = await register(calls, known, WRITER);
          await start(calls, known, id, "STATE_RUNNING");
          // The call ends with the server.
          void follow(calls, known, id).catch(() => {});
        }
      }
    }
  } catch (error) {
    assert.ok(error instanceof CallError, String(error));
  }
}

async function textOf(calls: Calls, id: string, cursor = ""): Promise<string> {
  let text = "";
  for await (const { data } of calls.GetOutput({ id, cursor, follow: false })) text += new TextDecoder().decode(data);
  return text;
}

/** Checks that all acknowledged facts are true. */
async function check(calls: Calls, known: Acknowledged): Promise<void> {
  for (const id of known.removed) {
    await assert.rejects(calls.Status({ id }), (error) => error instanceof CallError && error.status === "NOT_FOUND");
  }
  for (const id of known.maybeRemoved) {
    const status = await calls.Status({ id }).catch(() => undefined);
    if (status === undefined) known.removed.add(id);
    else known.states.set(id, status.state.slice("STATE_".length));
  }
  known.maybeRemoved.clear();
  for (const [id, state] of known.states) {
    const status = await calls.Status({ id });
    const now = status.state.slice("STATE_".length);
    assert.ok(TRUE_AFTER[state]?.includes(now), `${id} was ${state} and is ${now}`);
    known.states.set(id, now);
    if (now === "EXITED") assert.equal(await textOf(calls, id), "out\n");
    if (now === "LOST") assert.ok(status.error !== "" && status.exit_code === undefined);
  }
  for (const [id, { text, cursor }] of known.output) {
    const whole = await textOf(calls, id);
    assert.ok(whole.startsWith(text), `${id}: ${text.length} characters were read, and are not there`);
    if (cursor !== "") assert.equal(text + await textOf(calls, id, cursor), whole);
    assert.match(whole, /^(line \d+\n)*$/);
  }
  // A repeated request makes one job, whether or not the first one was stored.
  for (const [request_id, args] of known.requests) {
    const { id } = await calls.Register({ command: "sh", args, request_id, labels: { request_id } });
    const { jobs } = await calls.List({ labels: { request_id } });
    assert.deepEqual(jobs.map((job) => job.id), [id]);
    known.states.set(id, "INITIAL");
  }
  known.requests.clear();
}

/** Gives the jobs that have a living process, found by the mark in its environment. */
function living(): Set<string> {
  const marks = new Set<string>();
  for (const { name } of Deno.readDirSync("/proc")) {
    try {
      const mark = /TELEPORT_ID=([0-9a-f-]{36})/.exec(Deno.readTextFileSync(`/proc/${name}/environ`))?.[1];
      if (mark !== undefined) marks.add(mark);
    } catch {
      // The process has ended, or the entry is not a process.
    }
  }
  return marks;
}

function connectTo(server: Server) {
  const read = (name: string) => Deno.readTextFileSync(`${server.dir}/certs/${name}`);
  return connect({
    address: server.address,
    credentials: { ca: read("ca.crt"), cert: read("admin.crt"), key: read("admin.key") },
  });
}

/** Kills a server at a random moment of its start and its recovery. */
async function killAtStart(dir: string, random: Random): Promise<void> {
  const { process } = spawnServer({ dir, jobHost: "none" });
  const log = new Response(process.stderr).text();
  await new Promise((resolve) => setTimeout(resolve, random.below(500)));
  process.kill("SIGKILL");
  await Promise.all([process.status, log]);
}

/** Checks that a data directory is intact and has no output without a job. */
function checkDirectory(directory: string): void {
  const database = new DatabaseSync(`${directory}/jobs.db`);
  assert.deepEqual(database.prepare("PRAGMA integrity_check").all().map((row) => ({ ...row })), [{
    integrity_check: "ok",
  }]);
  const ids = new Set(database.prepare("SELECT id FROM jobs").all().map(({ id }) => id));
  database.close();
  const forgotten = [...Deno.readDirSync(`${directory}/output`)].filter(({ name }) => !ids.has(name));
  assert.deepEqual(forgotten, []);
}

Deno.test(`all acknowledged facts are true after each of ${ROUNDS} kills at random moments under load`, async () => {
  await using temporary = await tempDir();
  const dir = temporary.path;
  const known = new Acknowledged();
  const random = new Random(seedFor("kills_test"));
  let bytes = 0;
  const isReal = () => known.states.size >= 2 * ROUNDS && bytes > 0;
  // On a busy machine a round may have few jobs, and no output may arrive before its kill.
  for (let round = 0; round < ROUNDS || (!isReal() && round < 5 * ROUNDS); round++) {
    if (round % 3 === 2) await killAtStart(dir, random);
    const server = await startServer({ dir, jobHost: "none" });
    const client = connectTo(server);
    const alive = living();
    for (const id of known.states.keys()) assert.ok(!alive.has(id), `${id} of an earlier life is alive`);
    await check(client.calls, known);
    const loads = Array.from({ length: CLIENTS }, (_, index) => load(client.calls, known, index));
    await new Promise((resolve) => setTimeout(resolve, 50 + random.below(600)));
    server.process.kill("SIGKILL");
    await deadline(server.process.status, "the end of the process");
    await Promise.all(loads);
    await client[Symbol.asyncDispose]();
    bytes = [...known.output.values()].reduce((sum, { text }) => sum + text.length, 0);
  }
  // The load must have been real.
  assert.ok(isReal(), `${known.states.size} jobs, ${bytes} bytes`);
  const server = await startServer({ dir, jobHost: "none" });
  const client = connectTo(server);
  await check(client.calls, known);
  await client[Symbol.asyncDispose]();
  assert.equal((await teleport(server, "run", "--", "sh", "-c", "exit 9")).code, 9);
  const alive = living();
  assert.deepEqual([...known.states.keys()].filter((id) => alive.has(id)), []);
  await server[Symbol.asyncDispose]();
  checkDirectory(`${dir}/data`);
});
