/** Tests of reading processes and of deciding which belong to a job. */
import assert from "node:assert/strict";
import { membersOf, scanIsInconclusive } from "../../../worker/process/members.ts";
import { type ProcessEntry, readEntry, scanProcesses } from "../../../worker/linux/procfs.ts";

const JOB = { leader: 100, startTime: 50, mark: "no process has this mark" };

function entry(pid: number, fields: Partial<ProcessEntry> = {}): ProcessEntry {
  const rest = { zombie: false, stopped: false, ticks: { user: 0, system: 0 } };
  return { pid, ppid: 1, pgrp: pid, session: pid, startTime: 60, ...rest, ...fields };
}

function pids(...entries: ProcessEntry[]): number[] {
  return membersOf(entries, JOB).map(({ pid }) => pid);
}

Deno.test("membersOf() finds the group, the session and their descendants", () => {
  const leader = entry(100, { startTime: 50 });
  const inGroup = entry(101, { pgrp: 100, session: 100 });
  const inSession = entry(102, { pgrp: 102, session: 100 });
  const ofSession = entry(103, { ppid: 102 });
  const further = entry(104, { ppid: 103 });
  const stranger = entry(200);
  assert.deepEqual(pids(leader, inGroup, inSession, ofSession, further, stranger), [100, 101, 102, 103, 104]);
});

Deno.test("membersOf() skips zombies, but not their children", () => {
  assert.deepEqual(pids(entry(101, { session: 100, zombie: true }), entry(102, { ppid: 101 })), [102]);
});

Deno.test("membersOf() skips processes that are older than the job", () => {
  assert.deepEqual(pids(entry(101, { session: 100, startTime: 49 })), []);
});

Deno.test("membersOf() ignores group and session when the leader's pid belongs to another process", () => {
  const other = entry(100, { startTime: 70 });
  assert.deepEqual(pids(other, entry(101, { pgrp: 100, session: 100 }), entry(102, { ppid: 100 })), []);
});

Deno.test("membersOf() ends when the parents form a circle", () => {
  assert.deepEqual(pids(entry(101, { ppid: 102 }), entry(102, { ppid: 101 })), []);
});

Deno.test("scanProcesses() shares one scan between simultaneous calls", async () => {
  const [first, second] = await Promise.all([scanProcesses(), scanProcesses()]);
  assert.equal(first, second);
  assert.ok(first?.some(({ pid, zombie }) => pid === Deno.pid && !zombie));
  assert.deepEqual(readEntry(Deno.pid)?.startTime, first?.find(({ pid }) => pid === Deno.pid)?.startTime);
  assert.equal(readEntry(2 ** 22 + 1), undefined);
});

Deno.test("membersOf() finds a daemon by its mark", async () => {
  const mark = crypto.randomUUID();
  // The shell in between ends at once, so the sleep has no parent in the job.
  const child = new Deno.Command("sh", {
    args: ["-c", "(setsid sleep 1000 & echo $!)"],
    env: { TELEPORT_ID: mark },
    stdout: "piped",
    detached: true,
  }).spawn();
  const startTime = readEntry(child.pid)?.startTime ?? 0;
  const reader = child.stdout.getReader();
  await reader.read();
  await child.status;
  const found = membersOf(await scanProcesses() ?? [], { leader: child.pid, startTime, mark });
  assert.equal(found.length, 1);
  for (const { pid } of found) Deno.kill(pid, "SIGKILL");
  await reader.cancel();
});

/** A pid that no host has, for a process that ended before its mark was read. */
const GONE = 2 ** 22 + 1;

Deno.test("scanIsInconclusive() is true for an orphan that ended before its mark was read", () => {
  assert.equal(scanIsInconclusive([entry(GONE)], JOB), true);
  // Its parent ended too, or is unknown as well.
  assert.equal(scanIsInconclusive([entry(GONE, { ppid: GONE + 1 })], JOB), true);
  assert.equal(scanIsInconclusive([entry(GONE, { ppid: GONE + 1 }), entry(GONE + 1, { ppid: GONE })], JOB), false);
  assert.equal(scanIsInconclusive([entry(GONE, { ppid: GONE + 1 }), entry(GONE + 1)], JOB), true);
  assert.equal(scanIsInconclusive([entry(GONE, { ppid: GONE + 1 }), entry(GONE + 1, { zombie: true })], JOB), true);
});

Deno.test("scanIsInconclusive() is false for older processes, ended ones, and those of other jobs", () => {
  assert.equal(scanIsInconclusive([], JOB), false);
  assert.equal(scanIsInconclusive([entry(GONE, { startTime: 49 })], JOB), false);
  assert.equal(scanIsInconclusive([entry(GONE, { zombie: true })], JOB), false);
  // The leader of another job, and a process of its session.
  const leader = entry(GONE, { ppid: Deno.pid });
  assert.equal(scanIsInconclusive([leader, entry(GONE + 1, { session: GONE })], JOB), false);
});

Deno.test("scanIsInconclusive() is false for children of other programs, and true for orphans of a subreaper above", async () => {
  const child = new Deno.Command("sleep", { args: ["1000"], detached: true }).spawn();
  const sleep = readEntry(child.pid);
  assert.ok(sleep);
  const stranger = { ...sleep, ppid: 1, startTime: 60 };
  assert.equal(scanIsInconclusive([stranger, entry(GONE, { ppid: child.pid })], JOB), false);
  const own = { ...entry(Deno.pid), ppid: child.pid };
  assert.equal(scanIsInconclusive([own, stranger, entry(GONE, { ppid: child.pid })], JOB), true);
  child.kill("SIGKILL");
  await child.status;
});

Deno.test("scanProcesses() returns processes that start during the scan", async () => {
  const original = Deno.readDirSync;
  const children: Deno.ChildProcess[] = [];
  Deno.readDirSync = (path) => {
    const names = [...original(path)];
    // The process ends before it is read, and leaves another one.
    if (children.length < 3) children.push(new Deno.Command("sleep", { args: ["1000"] }).spawn());
    return names[Symbol.iterator]();
  };
  try {
    const entries = await scanProcesses();
    assert.equal(children.length, 3);
    for (const { pid } of children) assert.ok(entries?.some((entry) => entry.pid === pid));
  } finally {
    Deno.readDirSync = original;
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(children.map(({ status }) => status));
  }
});
