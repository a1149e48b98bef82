/** Tests of the end of a job's processes. */
import assert from "node:assert/strict";
import { deadline, eventually } from "../../support/deadline.ts";
import type { Membership } from "../../../worker/process/members.ts";
import { readEntry } from "../../../worker/linux/procfs.ts";
import { endSurvivors, killAll, sendTerm } from "../../../worker/process/termination.ts";

/** Starts a leader in its own session, and waits until it and its children have written `count` lines. */
async function leader(
  script: string,
  count: number,
): Promise<{ child: Deno.ChildProcess; job: Membership; lines: string[] }> {
  const mark = crypto.randomUUID();
  const child = new Deno.Command("sh", {
    args: ["-c", script],
    env: { TELEPORT_ID: mark },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    detached: true,
  }).spawn();
  let text = "";
  const reader = child.stdout.getReader();
  while (text.split("\n").length <= count) {
    const { value, done } = await deadline(reader.read(), "a line of the leader");
    assert.ok(!done, "It ended before it was up");
    text += new TextDecoder().decode(value);
  }
  await reader.cancel();
  const startTime = readEntry(child.pid)?.startTime ?? 0;
  return { child, job: { leader: child.pid, startTime, mark }, lines: text.split("\n") };
}

/** Returns true if a process does not exist or is a zombie. */
function ended(pid: number): boolean {
  const entry = readEntry(pid);
  return entry === undefined || entry.zombie;
}

Deno.test("sendTerm() reaches the whole group, stopped processes included", async () => {
  const { child, lines } = await leader("sleep 1000 & echo $!; echo up; kill -STOP $$; wait", 2);
  await eventually(() => readEntry(child.pid)?.stopped === true, "the stop of the leader");
  sendTerm(child.pid);
  assert.equal((await child.status).signal, "SIGTERM");
  // The sleep is an orphan by now, which init reaps.
  const pid = Number(lines[0]);
  const { left } = await endSurvivors({ leader: child.pid, startTime: 0, mark: "-" }, 0);
  assert.ok(left.length === 0 && ended(pid));
});

Deno.test("sendTerm() has no effect on a group that does not exist", async () => {
  const { child } = await leader("echo up", 1);
  await child.status;
  sendTerm(child.pid);
});

Deno.test("killAll() ends the group, other groups, other sessions and daemons", async () => {
  const { child, job, lines } = await leader(
    `trap '' TERM
    sleep 1000 & echo $!
    setsid sh -c 'echo $$; exec sleep 1000' &
    (setsid sh -c '(echo $(exec sh -c "echo \\$PPID"); exec sleep 1000) &' &)
    wait`,
    3,
  );
  const pids = lines.slice(0, 3).map(Number);
  for (const pid of pids) assert.ok(!ended(pid), `${pid} runs`);
  await killAll(job);
  assert.equal((await child.status).signal, "SIGKILL");
  await endSurvivors(job, 0);
  for (const pid of pids) assert.ok(ended(pid), `${pid} ended`);
});

Deno.test("endSurvivors() finds nothing when no process is left", async () => {
  const { child, job } = await leader("echo up", 1);
  await child.status;
  assert.deepEqual(await endSurvivors(job, 1_000), { found: [], left: [], isDenied: false });
});

Deno.test("endSurvivors() waits after SIGKILL also when the event loop is late", async () => {
  const { child, job, lines } = await leader(
    `sleep 1000 & echo $!; sh -c 'trap "" TERM; echo $$; exec sleep 1000' & wait`,
    2,
  );
  child.kill("SIGKILL");
  await child.status;
  const ending = endSurvivors(job, 200);
  await eventually(() => lines.slice(0, 2).some((pid) => ended(Number(pid))), "the end by SIGTERM");
  // Longer than the grace period and the wait after SIGKILL together.
  const lateMs = performance.now() + 2_500;
  while (performance.now() < lateMs);
  assert.deepEqual((await ending).left, []);
  for (const pid of lines.slice(0, 2)) assert.ok(ended(Number(pid)), `${pid} ended`);
});

Deno.test("endSurvivors() sends SIGTERM before SIGKILL", async () => {
  const note = await Deno.makeTempFile({ prefix: "teleport-test-" });
  const { child, job } = await leader(
    `sh -c 'trap "echo bye > ${note}; exit" TERM; echo up; while :; do sleep 0.01; done' & exit 0`,
    1,
  );
  await child.status;
  const { found, left } = await endSurvivors(job, 60_000);
  assert.ok(found.length >= 1 && left.length === 0);
  assert.equal(await Deno.readTextFile(note), "bye\n");
  await Deno.remove(note);
});

Deno.test("endSurvivors() kills a process that ignores SIGTERM after the grace period, at most one second", async () => {
  for (const [graceMs, atLeastMs] of [[0, 0], [150, 149], [60_000, 999]] as const) {
    const { child, job, lines } = await leader(
      "(trap '' TERM; echo $(exec sh -c 'echo $PPID'); echo up; exec sleep 1000) & exit 0",
      2,
    );
    await child.status;
    const begin = performance.now();
    const { found, left } = await endSurvivors(job, graceMs);
    assert.ok(found.length === 1 && found[0]?.startsWith(`${lines[0]}:`) && left.length === 0);
    const tookMs = performance.now() - begin;
    // A busy machine takes longer, but not half of the longest grace period.
    assert.ok(tookMs >= atLeastMs && tookMs < 30_000, `${graceMs} ms took ${tookMs}`);
    assert.ok(ended(Number(lines[0])));
  }
});

Deno.test("endSurvivors() does not touch a process with the leader's pid by chance", async () => {
  // An earlier leader had this pid: same pid, group and session, but another start time.
  const { child, job } = await leader("echo up; exec sleep 1000", 1);
  const before = { leader: job.leader, startTime: job.startTime - 1, mark: crypto.randomUUID() };
  assert.deepEqual(await endSurvivors(before, 0), { found: [], left: [], isDenied: false });
  await killAll({ ...before, leader: 2 ** 22 + 1 }); // No group and no mark matches.
  assert.ok(!ended(child.pid));
  await killAll(job);
  await child.status;
});
