/**
 * Tests for 300 concurrent jobs: they leave nothing, and their statuses agree with the statistics.
 * Measures: 300 processes at once.
 */
import assert from "node:assert/strict";
import { type JobStatus, Supervisor, type SupervisorOptions } from "../../../mod.ts";
import { scanProcesses } from "../../../worker/linux/procfs.ts";
import { cgroupTest } from "../../support/cgroups.ts";
import { eventually } from "../../support/deadline.ts";
import { jobCounts } from "../../support/job_counts.ts";

const JOBS = 300;

/** The kinds of jobs. A sixth of the jobs are of each kind. */
const KINDS = ["exits", "is stopped", "is killed", "leaves a child", "reads input", "cannot start"] as const;
type Kind = typeof KINDS[number];

const SCRIPTS: Readonly<Record<Kind, string>> = {
  "exits": "echo exits; exit 7",
  "is stopped": "echo up; exec sleep 1000",
  "is killed": "echo up; kill -KILL $$",
  "leaves a child": "sleep 1000 & echo left; exit 0",
  "reads input": "cat",
  "cannot start": "",
};

function descriptors(): string[] {
  return [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => name);
}

/** Returns the children of this process, zombies included. */
async function children(): Promise<number[]> {
  return (await scanProcesses() ?? []).filter(({ ppid }) => ppid === Deno.pid).map(({ pid }) => pid);
}

/** Runs one job of a kind to its end. */
async function live(supervisor: Supervisor, kind: Kind): Promise<JobStatus> {
  const [command, args] = kind === "cannot start" ? ["/no/such/program", []] : ["sh", ["-c", SCRIPTS[kind]]];
  const id = await supervisor.add(command, args, { input: kind === "reads input", labels: { kind } });
  await supervisor.start(id);
  if (kind === "is stopped") {
    await using output = supervisor.watchOutput(id);
    await output.next();
    return await supervisor.stop(id, { by: "ann" });
  }
  if (kind === "reads input") {
    await supervisor.writeInput(
      id,
      (async function* () {
        yield { data: new TextEncoder().encode("input\n"), end: true };
      })(),
    );
  }
  let last: JobStatus | undefined;
  for await (const status of supervisor.watchStatus(id)) last = status;
  assert.ok(last);
  return last;
}

/** Adds the test twice: without cgroups, and with cgroups where the host has them. */
function bothTest(name: string, run: (options: SupervisorOptions) => Promise<void>): void {
  Deno.test(`${name}, without cgroups`, () => run({}));
  cgroupTest(`${name}, in cgroups`, (cgroups) => run({ cgroups }));
}

bothTest(`${JOBS} concurrent jobs leave nothing, and their statuses agree with the statistics`, async (options) => {
  const childrenBefore = await children();
  await using supervisor = new Supervisor(options);
  // Opened once for all jobs.
  for (const kind of KINDS) await live(supervisor, kind);
  const before = descriptors();
  const kindOf = (index: number) => KINDS[index % KINDS.length] as Kind;
  const ends = await Promise.all(Array.from({ length: JOBS }, (_, index) => live(supervisor, kindOf(index))));

  // Deno holds a second descriptor of a file during a write or a sync.
  await eventually(() => descriptors().length <= before.length, () => `${before}, not ${descriptors()}`);
  assert.deepEqual(await children(), childrenBefore);
  assert.deepEqual(await jobCounts(supervisor), { jobs: JOBS + KINDS.length, running: 0, watchers: 0 });

  const told = (status: JobStatus) => [status.state, status.reason, status.exitCode ?? status.signal];
  const wanted: Record<Kind, unknown[]> = {
    "exits": ["EXITED", "EXITED", 7],
    "is stopped": ["KILLED", "STOPPED", "SIGTERM"],
    "is killed": ["KILLED", "SIGNALED", "SIGKILL"],
    "leaves a child": ["EXITED", "EXITED", 0],
    "reads input": ["EXITED", "EXITED", 0],
    "cannot start": ["FAILED", "START_FAILED", undefined],
  };
  const outputBytes: Record<Kind, number> = {
    "exits": 6,
    "is stopped": 3,
    "is killed": 3,
    "leaves a child": 5,
    "reads input": 6,
    "cannot start": 0,
  };
  for (const [index, status] of ends.entries()) {
    const kind = kindOf(index);
    assert.deepEqual(told(status), wanted[kind], kind);
    assert.equal(status.stdoutBytes, outputBytes[kind], kind);
    assert.equal(status.stoppedBy, kind === "is stopped" ? "ann" : undefined);
    assert.deepEqual(status.input, kind === "reads input" ? { bytes: 6, closed: true } : undefined);
    if (kind === "cannot start") continue;
    assert.ok(status.startedAt && status.endedAt && status.startedAt <= status.endedAt);
    assert.equal(status.exitReport?.survivorsEnded, kind === "leaves a child" ? 1 : 0, kind);
    assert.equal(status.exitReport?.termSentAt !== undefined, kind === "is stopped", kind);
    assert.equal(status.exitReport?.killSentAt, undefined);
  }
  // No two jobs had the same process. A pid may be reused, but not at the same time.
  const pids = new Set(ends.flatMap(({ pid, startedAt }) => pid === undefined ? [] : `${pid} ${startedAt?.getTime()}`));
  assert.equal(pids.size, JOBS * 5 / 6);

  // The list agrees with the watched statuses.
  const listed = new Map<string, JobStatus>();
  for (let token: string | undefined = ""; token !== undefined;) {
    const page: Awaited<ReturnType<Supervisor["list"]>> = await supervisor.list({
      pageSize: 100,
      ...(token === "" ? {} : { pageToken: token }),
    });
    for (const job of page.jobs) listed.set(job.id, job);
    token = page.nextPageToken || undefined;
  }
  assert.equal(listed.size, JOBS + KINDS.length);
  for (const status of ends) assert.deepEqual(listed.get(status.id), status);
});
