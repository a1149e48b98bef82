/** Tests for the end of a supervisor with running jobs: close() and run(). */
import "../../support/plain_start.ts";
import assert from "node:assert/strict";
import { InvalidArgumentError, Supervisor, SupervisorClosedError } from "../../../mod.ts";
import { jobCounts } from "../../support/job_counts.ts";
import { all, read, startUp, states } from "./supervisor_fixture.ts";
import { eachForm } from "./job_host_fixture.ts";

eachForm("close() ends jobs and watchers, and add() and start() refuse new work", async (Supervisor) => {
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

eachForm("run() serves until its signal aborts", async (Supervisor) => {
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

Deno.test(
  "close() joins an earlier close(), may shorten its grace period, and refuses an invalid one",
  async () => {
    const supervisor = new Supervisor();
    const id = await startUp(supervisor, ["-c", "trap '' TERM; echo up; while :; do sleep 0.01; done"]);
    await assert.rejects(supervisor.close({ graceMs: -1 }), InvalidArgumentError);
    assert.equal((await supervisor.status(id)).state, "RUNNING"); // The refused call changed nothing.
    const first = supervisor.close({ graceMs: 3_600_000 });
    const later = supervisor.close({ graceMs: 3_000_000 });
    await supervisor.close({ graceMs: 0 });
    await Promise.all([first, later]);
    const { state, signal, reason } = await supervisor.status(id);
    assert.deepEqual([state, signal, reason], ["KILLED", "SIGKILL", "SHUTDOWN"]);
  },
);

Deno.test("close() ends all jobs concurrently and removes the temporary directory", async () => {
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
