/** The supervisor with real jobs: what its calls promise, its watchers, and that nothing of them stays. */
import "../../support/plain_start.ts";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  CursorOutOfRangeError,
  InvalidArgumentError,
  InvalidCursorError,
  InvalidSignalError,
  JobNotFoundError,
  JobNotRunningError,
  JobRunningError,
  type JobStatus,
  LimitReachedError,
  type OutputChunk,
  type OutputEnd,
  OutputUnavailableError,
  Supervisor,
  SupervisorClosedError,
} from "../../../mod.ts";
import { defined } from "../../../base/defined.ts";
import { jobCounts } from "../../support/job_counts.ts";

const MISSING = "01890000-0000-7000-8000-000000000000";

/** Ends at once when told to. */
const PATIENT = ["-c", "trap 'exit 3' TERM; echo up; while :; do sleep 0.01; done"];

async function startUp(supervisor: Supervisor, args: readonly string[] = PATIENT): Promise<string> {
  const id = await supervisor.add("sh", args);
  await supervisor.start(id);
  await using output = supervisor.watchOutput(id);
  await output.next();
  return id;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  return await Array.fromAsync(items);
}

async function states(statuses: AsyncIterable<JobStatus>): Promise<string[]> {
  return (await all(statuses)).map(({ state }) => state);
}

async function read(output: AsyncIterator<OutputChunk, OutputEnd>): Promise<{ text: string; end: OutputEnd }> {
  let text = "";
  while (true) {
    const { done, value } = await output.next();
    if (done) return { text, end: value };
    text += new TextDecoder().decode(value.data);
  }
}

/** Descriptors of this process. */
function descriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

Deno.test("a job's life from add() to its final status", async () => {
  await using supervisor = new Supervisor();
  const id = await supervisor.add("sh", ["-c", "echo hello; exit 7"], { owner: "ann", labels: { kind: "test" } });
  const initial = await supervisor.status(id);
  assert.equal(initial.state, "INITIAL");
  assert.equal(initial.owner, "ann");
  const statuses = supervisor.watchStatus(id);
  assert.equal((await supervisor.start(id)).state, "RUNNING");
  assert.deepEqual(await states(statuses), ["INITIAL", "STARTING", "RUNNING", "EXITED"]);
  const final = await supervisor.status(id);
  assert.equal(final.exitCode, 7);
  assert.equal(final.stdoutBytes, 6);
  assert.ok(final.startedAt && final.endedAt && final.endedAt >= final.startedAt);
  assert.deepEqual(structuredClone(final), final);
  assert.deepEqual(await states(supervisor.watchStatus(id)), ["EXITED"]);
});

Deno.test("start() of a job that runs or has ended starts nothing", async () => {
  await using supervisor = new Supervisor();
  const id = await startUp(supervisor);
  const { pid } = await supervisor.status(id);
  assert.equal((await supervisor.start(id)).pid, pid);
  const final = await supervisor.stop(id);
  assert.equal(final.state, "EXITED");
  assert.deepEqual(await supervisor.start(id), final);
});

Deno.test("a job that cannot be started is FAILED, and its output is empty", async () => {
  await using supervisor = new Supervisor();
  const id = await supervisor.add("no-such-program");
  const status = await supervisor.start(id);
  for await (const _ of supervisor.watchStatus(id));
  const final = await supervisor.status(id);
  assert.equal(final.state, "FAILED");
  assert.equal(final.errorCode, "COMMAND_NOT_FOUND");
  assert.ok(["STARTING", "FAILED"].includes(status.state));
  const { text, end } = await read(supervisor.watchOutput(id));
  assert.equal(text, "");
  assert.equal(end.status.state, "FAILED");
});

Deno.test("stop() does what its state allows, and says who asked", async () => {
  await using supervisor = new Supervisor();
  const id = await supervisor.add("sh", PATIENT);
  assert.equal((await supervisor.stop(id)).state, "INITIAL");
  const running = await startUp(supervisor);
  const [first, second] = await Promise.all([supervisor.stop(running, { by: "ann" }), supervisor.stop(running)]);
  assert.deepEqual(first, second);
  assert.equal(first.reason, "STOPPED");
  assert.equal(first.stoppedBy, "ann");
  assert.deepEqual(await supervisor.stop(running, { by: "bob" }), first);
  await assert.rejects(supervisor.stop(running, { graceMs: -1 }), InvalidArgumentError);
});

Deno.test("signal() needs a running job and a signal of Linux", async () => {
  await using supervisor = new Supervisor();
  const initial = await supervisor.add("sh", PATIENT);
  await assert.rejects(supervisor.signal(initial, "TERM"), JobNotRunningError);
  await assert.rejects(supervisor.signal(initial, "NOPE"), InvalidSignalError);
  const running = await startUp(supervisor);
  assert.equal((await supervisor.signal(running, "TERM", { by: "ann" })).state, "RUNNING");
  for await (const _ of supervisor.watchStatus(running));
  await assert.rejects(supervisor.signal(running, "TERM"), JobNotRunningError);
});

Deno.test("every call on a job that is not there throws JobNotFoundError", async () => {
  await using supervisor = new Supervisor();
  for (
    const call of [
      () => supervisor.start(MISSING),
      () => supervisor.stop(MISSING),
      () => supervisor.signal(MISSING, "TERM"),
      () => supervisor.status(MISSING),
      () => supervisor.remove(MISSING),
      () => all(supervisor.watchStatus(MISSING)),
      () => all(supervisor.watchOutput(MISSING)),
    ]
  ) await assert.rejects(call, JobNotFoundError);
});

Deno.test("remove() forgets a job and its output, unless it runs", async () => {
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
  {
    await using supervisor = new Supervisor({ directory });
    const running = await startUp(supervisor);
    await assert.rejects(supervisor.remove(running), JobRunningError);
    await supervisor.stop(running);
    await supervisor.remove(running);
    await assert.rejects(supervisor.status(running), JobNotFoundError);
    const initial = await supervisor.add("true");
    const watching = [all(supervisor.watchStatus(initial)), all(supervisor.watchOutput(initial))];
    const rejected = Promise.all(watching.map((watch) => assert.rejects(watch, JobNotFoundError)));
    await supervisor.remove(initial);
    await rejected;
    assert.deepEqual([...Deno.readDirSync(`${directory}/output`)], []);
  }
  await Deno.remove(directory, { recursive: true });
});

Deno.test("list() filters, and pages from the newest to the oldest", async () => {
  await using supervisor = new Supervisor();
  const ids: string[] = [];
  for (let index = 0; index < 25; index++) {
    const owner = index % 2 === 0 ? "ann" : "bob";
    ids.push(
      await supervisor.add("true", [], { owner, labels: { parity: String(index % 2), third: String(index % 3) } }),
    );
  }
  for (const id of ids.slice(0, 5)) await supervisor.start(id);
  for (const id of ids.slice(0, 5)) for await (const _ of supervisor.watchStatus(id));
  const idsOf = async (filter: Parameters<Supervisor["list"]>[0]) => {
    const found: string[] = [];
    let pageToken: string | undefined;
    do {
      const page = await supervisor.list({ ...filter, ...defined({ pageToken }) });
      assert.ok(page.jobs.length <= (filter?.pageSize ?? 100));
      found.push(...page.jobs.map(({ id }) => id));
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
    return found;
  };
  const newest = ids.toReversed();
  assert.deepEqual(await idsOf({}), newest);
  for (const pageSize of [1, 4, 24, 25, 1_000]) assert.deepEqual(await idsOf({ pageSize }), newest, `${pageSize}`);
  assert.deepEqual(await idsOf({ states: ["EXITED"] }), ids.slice(0, 5).toReversed());
  assert.equal((await idsOf({ owner: "ann", pageSize: 3 })).length, 13);
  assert.equal((await idsOf({ labels: { parity: "1", third: "2" } })).length, 4);
  assert.deepEqual(await idsOf({ labels: { nothing: "1" } }), []);
  await assert.rejects(supervisor.list({ pageSize: 0 }), InvalidArgumentError);
  await assert.rejects(supervisor.list({ pageToken: "garbage" }), InvalidArgumentError);
});

Deno.test("watchers see the same 64 MiB on both streams, whenever they attach", async () => {
  await using supervisor = new Supervisor();
  const bytes = 67_108_864;
  const script = `head -c ${bytes} /dev/urandom | tee /dev/fd/3 >&2`;
  const id = await supervisor.add("sh", ["-c", `exec 3>&1; ${script}`]);
  const digest = async () => {
    const hashes = { stdout: createHash("sha256"), stderr: createHash("sha256") };
    const output = supervisor.watchOutput(id);
    while (true) {
      const { done, value } = await output.next();
      if (!done) {
        hashes[value.stream].update(value.data);
        continue;
      }
      assert.equal(value.stdoutBytes, bytes);
      assert.equal(value.stderrBytes, bytes);
      const [stdout, stderr] = [hashes.stdout.digest("hex"), hashes.stderr.digest("hex")];
      assert.equal(stdout, value.stdoutSha256.toHex());
      assert.equal(stderr, value.stderrSha256.toHex());
      assert.equal(stdout, stderr);
      return stdout;
    }
  };
  const readers = [digest(), digest(), digest(), digest()];
  await supervisor.start(id);
  {
    // In the middle: behind at least 8 MiB.
    let seen = 0;
    for await (const { data } of supervisor.watchOutput(id)) if ((seen += data.length) > 8_388_608) break;
  }
  readers.push(digest(), digest(), digest());
  await Promise.all(readers);
  readers.push(digest(), digest(), digest());
  assert.equal(new Set(await Promise.all(readers)).size, 1);
  assert.equal((await jobCounts(supervisor)).watchers, 0);
});

Deno.test("watchOutput() gives bytes as they are: NULs, no text, no last newline, or nothing at all", async () => {
  await using supervisor = new Supervisor();
  for (const script of ["", "printf 'a\\0b\\377\\376\\303'", "printf '\\n\\n'", "printf x"]) {
    const id = await supervisor.add("sh", ["-c", script]);
    const wanted = (await new Deno.Command("sh", { args: ["-c", script] }).output()).stdout;
    await supervisor.start(id);
    const pieces = await all(supervisor.watchOutput(id));
    assert.deepEqual(Uint8Array.from(pieces.flatMap(({ data }) => [...data])), wanted);
  }
});

Deno.test("watchOutput() without following gives what is there, and ends though the job runs", async () => {
  await using supervisor = new Supervisor();
  const id = await startUp(supervisor);
  const { text, end } = await read(supervisor.watchOutput(id, { follow: false }));
  assert.equal(text, "up\n");
  assert.equal(end.status.state, "RUNNING");
  assert.equal(end.stdoutSha256.toHex(), createHash("sha256").update("up\n").digest("hex"));
});

Deno.test("watchOutput() refuses cursors of another job, broken ones, and those beyond the end", async () => {
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
  {
    await using supervisor = new Supervisor({ directory });
    const [one, other] = [await startUp(supervisor), await startUp(supervisor)];
    const [piece] = await all(supervisor.watchOutput(one, { follow: false }));
    assert.ok(piece);
    assert.deepEqual(await all(supervisor.watchOutput(one, { follow: false, cursor: piece.cursor })), []);
    await assert.rejects(all(supervisor.watchOutput(other, { cursor: piece.cursor })), InvalidCursorError);
    for (const cursor of ["x", "0.0.0.0", `${piece.cursor} `, piece.cursor.toUpperCase()]) {
      await assert.rejects(all(supervisor.watchOutput(one, { cursor })), InvalidCursorError, cursor);
    }
    assert.equal(new CursorOutOfRangeError("x").code, "CURSOR_OUT_OF_RANGE");
  }
  await Deno.remove(directory, { recursive: true });
});

for (const what of ["watchStatus", "watchOutput"] as const) {
  Deno.test(`${what}() throws the signal's reason when it has aborted already, and when it aborts later`, async () => {
    await using supervisor = new Supervisor();
    const id = await startUp(supervisor);
    const reason = new Error("enough");
    await assert.rejects(supervisor[what](id, { signal: AbortSignal.abort(reason) }).next(), reason);
    const abort = new AbortController();
    const watching = supervisor[what](id, { signal: abort.signal });
    await watching.next();
    const waiting = watching.next();
    abort.abort(reason);
    await assert.rejects(waiting, reason);
    assert.equal((await jobCounts(supervisor)).watchers, 0);
  });

  Deno.test(`${what}() unsubscribes by break, return(), using and await using, also while it waits`, async () => {
    await using supervisor = new Supervisor();
    const id = await startUp(supervisor);
    const before = descriptors();
    for await (const _ of supervisor[what](id)) break;
    {
      await using watching = supervisor[what](id);
      await watching.next();
    }
    {
      using watching = supervisor[what](id);
      await watching.next();
    }
    const watching = supervisor[what](id);
    await watching.next();
    const waiting = watching.next();
    assert.equal((await watching.return()).done, true);
    assert.equal((await waiting).done, true);
    assert.equal((await watching.next()).done, true);
    supervisor[what](id); // Never iterated: holds nothing.
    assert.equal((await jobCounts(supervisor)).watchers, 0);
    assert.equal(descriptors(), before);
  });
}

Deno.test("1,000 watchers that come and go leave nothing behind", async () => {
  await using supervisor = new Supervisor();
  const id = await startUp(supervisor);
  const before = descriptors();
  const watchers = Array.from({ length: 1_000 }, () => supervisor.watchOutput(id));
  await Promise.all(watchers.map((watcher) => watcher.next()));
  assert.equal((await jobCounts(supervisor)).watchers, 1_000);
  assert.ok(descriptors() <= before + 1);
  const waiting = watchers.map((watcher) => watcher.next());
  await Promise.all(watchers.map((watcher) => watcher.return()));
  await Promise.all(waiting);
  assert.equal((await jobCounts(supervisor)).watchers, 0);
  assert.equal(descriptors(), before);
});

Deno.test("a job's output limit stops it, drops the oldest, or holds it up", async () => {
  await using supervisor = new Supervisor();
  const run = async (policy: "STOP" | "KEEP_NEWEST" | "BLOCK", command = "yes | head -c 5000000") => {
    const id = await supervisor.add("sh", ["-c", command], { outputLimit: { maxBytes: 100_000, policy } });
    await supervisor.start(id);
    return id;
  };
  const stopped = await read(supervisor.watchOutput(await run("STOP", "exec yes")));
  assert.equal(stopped.end.status.reason, "OUTPUT_LIMIT");
  assert.equal(stopped.text.length, 100_000);
  assert.ok(stopped.end.droppedBytes > 0);

  const id = await run("KEEP_NEWEST");
  for await (const _ of supervisor.watchStatus(id));
  const kept = await read(supervisor.watchOutput(id));
  assert.equal(kept.end.status.exitCode, 0);
  assert.equal(kept.end.stdoutBytes, 5_000_000);
  assert.ok(kept.text.length <= 100_000 && kept.text.length > 30_000, `${kept.text.length}`);
  assert.equal(kept.text.length + kept.end.droppedBytes, 5_000_000);

  const blocked = await run("BLOCK", "exec yes");
  {
    let seen = 0;
    for await (const { data } of supervisor.watchOutput(blocked)) if ((seen += data.length) === 100_000) break;
  }
  assert.equal((await supervisor.status(blocked)).state, "RUNNING");
  const end = await supervisor.stop(blocked, { by: "ann" });
  assert.equal(end.state, "KILLED");
  assert.equal(end.stdoutBytes, 100_000);
});

Deno.test("the output of all jobs together is bounded, and there is room again when a job is removed", async () => {
  await using supervisor = new Supervisor({ maxOutputBytes: 1_000_000 });
  const first = await supervisor.add("head", ["-c", "900000", "/dev/zero"]);
  await supervisor.start(first);
  for await (const _ of supervisor.watchStatus(first));
  // Somebody reads it: it is not forgotten to make room.
  await using reader = supervisor.watchOutput(first);
  await reader.next();
  const tooMuch = await supervisor.add("sh", ["-c", "exec yes"]);
  await supervisor.start(tooMuch);
  for await (const _ of supervisor.watchStatus(tooMuch));
  assert.equal((await supervisor.status(tooMuch)).reason, "OUTPUT_LIMIT");
  await supervisor.remove(first);
  const fits = await supervisor.add("head", ["-c", "500000", "/dev/zero"]);
  await supervisor.start(fits);
  for await (const _ of supervisor.watchStatus(fits));
  assert.equal((await supervisor.status(fits)).exitCode, 0);
});

Deno.test("add() refuses more jobs than are kept", async () => {
  await using supervisor = new Supervisor({ maxJobs: 2 });
  const id = await supervisor.add("true");
  await supervisor.add("true");
  await assert.rejects(supervisor.add("true"), LimitReachedError);
  await supervisor.remove(id);
  await supervisor.add("true");
});

Deno.test("close() ends jobs and watchers, and refuses new work", async () => {
  const supervisor = new Supervisor({ closeGraceMs: 60_000 });
  const running = await startUp(supervisor);
  const initial = await supervisor.add("true");
  const final = states(supervisor.watchStatus(running));
  const output = read(supervisor.watchOutput(running));
  const waiting = assert.rejects(all(supervisor.watchStatus(initial)), SupervisorClosedError);
  const closed = supervisor.close();
  await assert.rejects(supervisor.add("true"), SupervisorClosedError);
  await assert.rejects(supervisor.start(initial), SupervisorClosedError);
  await Promise.all([closed, supervisor.close(), waiting]);
  assert.deepEqual(await final, ["RUNNING", "STOPPING", "EXITED"]);
  assert.equal((await output).end.status.reason, "SHUTDOWN");
});

Deno.test("run() serves until its signal aborts, or not at all when it has aborted already", async () => {
  for (const already of [false, true]) {
    await using supervisor = new Supervisor();
    const abort = new AbortController();
    if (already) abort.abort();
    const served = supervisor.run({ signal: abort.signal });
    if (!already) {
      const id = await startUp(supervisor);
      abort.abort();
      await served;
      assert.equal((await supervisor.status(id)).reason, "SHUTDOWN");
    }
    await served;
    await assert.rejects(supervisor.add("true"), SupervisorClosedError);
  }
});

Deno.test("close() again joins the first and may shorten its grace period; a bad one is refused", async () => {
  const supervisor = new Supervisor();
  const id = await startUp(supervisor, ["-c", "trap '' TERM; echo up; while :; do sleep 0.01; done"]);
  await assert.rejects(supervisor.close({ graceMs: -1 }), InvalidArgumentError);
  assert.equal((await supervisor.status(id)).state, "RUNNING"); // Refused as a whole.
  const first = supervisor.close({ graceMs: 3_600_000 });
  const later = supervisor.close({ graceMs: 3_000_000 });
  await supervisor.close({ graceMs: 0 });
  await Promise.all([first, later]);
  const { state, signal, reason } = await supervisor.status(id);
  assert.deepEqual([state, signal, reason], ["KILLED", "SIGKILL", "SHUTDOWN"]);
});

Deno.test("close() ends every job at once, and removes the temporary directory", async () => {
  const temporary = () => [...Deno.readDirSync(tmp)].length;
  const tmp = await Deno.makeTempDir({ prefix: "teleport-test-" });
  const before = Deno.env.get("TMPDIR");
  Deno.env.set("TMPDIR", tmp);
  try {
    const supervisor = new Supervisor();
    const ids = await Promise.all(Array.from({ length: 10 }, () => startUp(supervisor)));
    assert.equal(temporary(), 1);
    assert.deepEqual(await jobCounts(supervisor), { jobs: 10, running: 10, watchers: 0 });
    await supervisor.close();
    for (const id of ids) assert.equal((await supervisor.status(id)).reason, "SHUTDOWN");
    assert.equal((await jobCounts(supervisor)).running, 0);
    assert.equal(temporary(), 0);
  } finally {
    if (before === undefined) Deno.env.delete("TMPDIR");
    else Deno.env.set("TMPDIR", before);
    await Deno.remove(tmp, { recursive: true });
  }
});

Deno.test("add() refuses more jobs than are kept also when they come all at once", async () => {
  await using supervisor = new Supervisor({ maxJobs: 3 });
  const all = await Promise.allSettled(Array.from({ length: 10 }, () => supervisor.add("true")));
  assert.equal(all.filter(({ status }) => status === "fulfilled").length, 3);
  assert.equal((await jobCounts(supervisor)).jobs, 3);
});

Deno.test("add() copies what it is given", async () => {
  await using supervisor = new Supervisor();
  const args = ["-c", 'echo "$WORD"'];
  const env = { WORD: "first" };
  const id = await supervisor.add("sh", args, { env });
  args[1] = "exit 9";
  env.WORD = "second";
  await supervisor.start(id);
  assert.equal((await read(supervisor.watchOutput(id))).text, "first\n");
});

Deno.test("a watcher whose signal aborts while it is busy is counted no more, and holds no descriptor", async () => {
  await using supervisor = new Supervisor();
  const id = await startUp(supervisor);
  const before = descriptors();
  const abort = new AbortController();
  const output = supervisor.watchOutput(id, { signal: abort.signal });
  const status = supervisor.watchStatus(id, { signal: abort.signal });
  await Promise.all([output.next(), status.next()]);
  assert.equal((await jobCounts(supervisor)).watchers, 2);
  const reason = new Error("the client is gone");
  abort.abort(reason); // Neither next() nor return() is called.
  while ((await jobCounts(supervisor)).watchers > 0 || descriptors() > before) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  await assert.rejects(output.next(), reason);
  await assert.rejects(status.next(), reason);
});

Deno.test("remove() ends those who read the output of an ended job, whatever is left to read", async () => {
  await using supervisor = new Supervisor();
  const id = await supervisor.add("head", ["-c", "3000000", "/dev/zero"]);
  await supervisor.start(id);
  for await (const _ of supervisor.watchStatus(id));
  const output = supervisor.watchOutput(id);
  await output.next();
  await supervisor.remove(id);
  await assert.rejects(read(output), JobNotFoundError);
  assert.equal((await supervisor.list()).jobs.length, 0);
});

Deno.test("list() refuses page tokens that it never gave out, and sizes out of range", async () => {
  await using supervisor = new Supervisor();
  const id = await supervisor.add("true");
  for (const pageToken of ["", "x", `${id} `, id.toUpperCase(), id.slice(1), "\0", "x".repeat(1_000_000)]) {
    await assert.rejects(supervisor.list({ pageToken }), (error) => {
      assert.ok(error instanceof InvalidArgumentError);
      assert.ok(error.message.length < 500);
      return true;
    });
  }
  for (const pageSize of [0, -1, 1.5, NaN, 1_001]) {
    await assert.rejects(supervisor.list({ pageSize }), InvalidArgumentError, `${pageSize}`);
  }
  // The job that a token stands behind may be gone by now: what is older comes all the same.
  const second = await supervisor.add("true");
  const { nextPageToken } = await supervisor.list({ pageSize: 1 });
  assert.ok(nextPageToken);
  await supervisor.remove(second);
  assert.deepEqual((await supervisor.list({ pageToken: nextPageToken })).jobs.map((job) => job.id), [id]);
  // A token is for the list it came with.
  for (
    const other of [{ owner: "ann" }, { orderBy: "endedAt" }, { ascending: true }, { states: ["EXITED"] }] as const
  ) {
    await assert.rejects(supervisor.list({ ...other, pageToken: nextPageToken }), InvalidArgumentError);
  }
});

Deno.test("the output of all jobs together is bounded also with what an earlier supervisor left", async () => {
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
  const options = { directory, maxOutputBytes: 1_000_000 };
  const run = async (supervisor: Supervisor) => {
    const id = await supervisor.add("head", ["-c", "900000", "/dev/zero"]);
    await supervisor.start(id);
    for await (const _ of supervisor.watchStatus(id));
    return { id, reason: (await supervisor.status(id)).reason };
  };
  let left = "";
  {
    await using supervisor = new Supervisor(options);
    const { id, reason } = await run(supervisor);
    assert.equal(reason, "EXITED");
    left = id;
  }
  {
    await using supervisor = new Supervisor(options);
    await using reader = supervisor.watchOutput(left);
    await reader.next(); // What somebody reads is not forgotten to make room.
    assert.equal((await run(supervisor)).reason, "OUTPUT_LIMIT");
    assert.equal((await read(supervisor.watchOutput(left))).text.length, 900_000);
    await reader.return();
    assert.equal((await run(supervisor)).reason, "EXITED"); // What nobody reads is.
    await assert.rejects(supervisor.status(left), JobNotFoundError);
    assert.equal((await run(supervisor)).reason, "EXITED");
  }
  await Deno.remove(directory, { recursive: true });
});

Deno.test("watchOutput() of an earlier life's output says so when its files are gone, cut or empty", async () => {
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
  const ids: string[] = [];
  {
    await using supervisor = new Supervisor({ directory });
    for (let index = 0; index < 3; index++) {
      const id = await supervisor.add("sh", ["-c", "echo one; sleep 0.02; echo two"]);
      await supervisor.start(id);
      for await (const _ of supervisor.watchStatus(id));
      ids.push(id);
    }
  }
  const [gone = "", cut = "", empty = ""] = ids;
  const fileOf = (id: string) => {
    const output = `${directory}/output/${id}`;
    return `${output}/${[...Deno.readDirSync(output)][0]?.name}`;
  };
  await Deno.truncate(fileOf(cut), (await Deno.stat(fileOf(cut))).size - 1);
  await Deno.truncate(fileOf(empty), 0);
  // As where it was deleted to make room for a word of its removal, which then was not written.
  await Deno.remove(`${directory}/output/${gone}`, { recursive: true });
  await using supervisor = new Supervisor({ directory });
  for (const id of ids) {
    for (const options of [{}, { follow: false }, { tailLines: 1 }, { since: new Date(0) }, { until: new Date(0) }]) {
      const output = Array.fromAsync(supervisor.watchOutput(id, options));
      // Nothing was written by then, so nothing of it is missing.
      if (id === cut && "until" in options) await output;
      else await assert.rejects(output, OutputUnavailableError, `${ids.indexOf(id)} ${JSON.stringify(options)}`);
    }
    assert.equal((await supervisor.status(id)).state, "EXITED");
    await supervisor.remove(id);
  }
  assert.equal((await jobCounts(supervisor)).jobs, 0);
  await supervisor.close();
  await Deno.remove(directory, { recursive: true });
});
