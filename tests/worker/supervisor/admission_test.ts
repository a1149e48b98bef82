/** What a supervisor holds its jobs to: defaults, maxima, how many run, privileges, lent variables; also after a restart. */
import assert from "node:assert/strict";
import {
  InvalidArgumentError,
  type JobOptions,
  LimitReachedError,
  NotEnforceableError,
  Supervisor,
  type SupervisorOptions,
} from "../../../mod.ts";
import { gainsNoPrivileges } from "../../../worker/launch/host.ts";
import { admit, checkDefaults } from "../../../worker/supervisor/admission.ts";
import type { AnyJob } from "../../../worker/job/any_job.ts";
import { jobCounts } from "../../support/job_counts.ts";

async function finalText(supervisor: Supervisor, id: string): Promise<string> {
  await supervisor.start(id);
  let text = "";
  for await (const { data } of supervisor.watchOutput(id)) text += new TextDecoder().decode(data);
  return text;
}

/** What a shell script says, run with these options by a supervisor with those. */
async function says(script: string, options: JobOptions, limits: SupervisorOptions): Promise<string> {
  await using supervisor = new Supervisor(limits);
  return (await finalText(supervisor, await supervisor.add("sh", ["-c", script], options))).trim();
}

const LIMITS: SupervisorOptions = {
  defaultLimits: { timeoutMs: 50_000, rlimits: { openFiles: 100 } },
  maxLimits: { timeoutMs: 60_000, rlimits: { openFiles: 200, cpuSeconds: 30 } },
};

Deno.test("a job has what it asks for, then the default, then the most", async () => {
  assert.equal(await says("ulimit -n; ulimit -t", {}, LIMITS), "100\n30");
  assert.equal(await says("ulimit -n; ulimit -t", { rlimits: { openFiles: 200, cpuSeconds: 5 } }, LIMITS), "200\n5");
  await using supervisor = new Supervisor(LIMITS);
  const id = await supervisor.add("true", [], { rlimits: { fileBytes: 0 } });
  const { timeoutMs, rlimits } = await supervisor.status(id);
  assert.deepEqual({ timeoutMs, rlimits }, {
    timeoutMs: 50_000,
    rlimits: { openFiles: 100, cpuSeconds: 30, fileBytes: 0 },
  });
  const given = await supervisor.status(await supervisor.add("true", [], { timeoutMs: 60_000 }));
  assert.equal(given.timeoutMs, 60_000);
});

Deno.test("a job that asks for more than the most is refused, in words that name the most", async () => {
  await using supervisor = new Supervisor(LIMITS);
  for (
    const [options, sentence] of [
      [
        { timeoutMs: 60_001 },
        /^The timeout .* at most 60000 .* got 60001$/,
      ],
      [{ rlimits: { openFiles: 201 } }, /open files .* at most 200 .* got 201$/],
      [{ rlimits: { cpuSeconds: 31 } }, /processor time .* at most 30 .* got 31$/],
    ] as const
  ) {
    await assert.rejects(supervisor.add("true", [], options), (error) => {
      assert.ok(error instanceof InvalidArgumentError);
      assert.match(error.message, sentence);
      return true;
    });
  }
  assert.equal((await jobCounts(supervisor)).jobs, 0);
});

Deno.test("new Supervisor() refuses limits by cgroup that no job could be held to", () => {
  for (const limits of ["defaultLimits", "maxLimits"] as const) {
    assert.throws(() => new Supervisor({ [limits]: { cgroupLimits: { maxCpus: 1 } } }), NotEnforceableError);
  }
});

Deno.test("new Supervisor() refuses limits that cannot be", () => {
  for (
    const options of [
      { maxRunning: 0 },
      { maxRunningPerOwner: 1.5 },
      { defaultLimits: { timeoutMs: -1 } },
      { maxLimits: { rlimits: { openFiles: 0 } } },
      { maxLimits: { cgroupLimits: { maxCpus: 0 } } },
      { defaultLimits: { cgroupLimits: { maxCpus: 2 } }, maxLimits: { cgroupLimits: { maxCpus: 1 } } },
      { defaultLimits: { timeoutMs: 2 }, maxLimits: { timeoutMs: 1 } },
      { defaultLimits: { rlimits: { coreBytes: 2 } }, maxLimits: { rlimits: { coreBytes: 1 } } },
    ]
  ) assert.throws(() => new Supervisor(options), InvalidArgumentError, JSON.stringify(options));
});

const SLEEP = ["sleep", ["1000"]] as const;

Deno.test("no more jobs run than may, and when one has ended another starts", async () => {
  await using supervisor = new Supervisor({ maxRunning: 2, closeGraceMs: 0 });
  const ids = await Promise.all([1, 2, 3].map(() => supervisor.add(...SLEEP)));
  const [one = "", two = "", three = ""] = ids;
  await Promise.all([supervisor.start(one), supervisor.start(two)]);
  await assert.rejects(supervisor.start(three), (error) => {
    assert.ok(error instanceof LimitReachedError);
    assert.match(error.message, /more than 2 jobs/);
    return true;
  });
  assert.equal((await supervisor.status(three)).state, "INITIAL");
  await supervisor.start(one); // It runs: that is no start.
  await supervisor.stop(one);
  await supervisor.start(three);
  await assert.rejects(supervisor.start(await supervisor.add(...SLEEP)), LimitReachedError);
});

Deno.test("of many starts at once no more succeed than may run", async () => {
  await using supervisor = new Supervisor({ maxRunning: 5, closeGraceMs: 0 });
  const ids = await Promise.all(Array.from({ length: 20 }, () => supervisor.add(...SLEEP)));
  const results = await Promise.allSettled(ids.map((id) => supervisor.start(id)));
  assert.equal(results.filter(({ status }) => status === "fulfilled").length, 5);
  assert.equal((await jobCounts(supervisor)).running, 5);
});

Deno.test("one owner's jobs do not take another's place", async () => {
  await using supervisor = new Supervisor({ maxRunning: 3, maxRunningPerOwner: 2, closeGraceMs: 0 });
  const add = (owner?: string) => supervisor.add(...SLEEP, owner === undefined ? {} : { owner });
  for (const owner of ["ann", "ann"]) await supervisor.start(await add(owner));
  await assert.rejects(supervisor.start(await add("ann")), /more than 2 jobs of one user/);
  await supervisor.start(await add("bob"));
  await assert.rejects(supervisor.start(await add("bob")), /more than 3 jobs at a time/);
});

Deno.test("a start that failed takes nobody's place", async () => {
  await using supervisor = new Supervisor({ maxRunning: 1 });
  for (let i = 0; i < 3; i++) {
    const id = await supervisor.add("no-such-program");
    await supervisor.start(id);
    for await (const _ of supervisor.watchStatus(id));
    assert.equal((await supervisor.status(id)).state, "FAILED");
  }
});

const NO_NEW = "sed -n 's/^NoNewPrivs:\\t//p' /proc/self/status";
const own = gainsNoPrivileges() ? "1" : "0";

Deno.test("jobs gain no privileges where they are denied, and the one that asks is refused", async () => {
  assert.equal(await says(NO_NEW, {}, { newPrivileges: "DENIED" }), "1");
  await using supervisor = new Supervisor({ newPrivileges: "DENIED" });
  await assert.rejects(supervisor.add("true", [], { allowNewPrivileges: true }), NotEnforceableError);
});

Deno.test("where they are given on request, the jobs that do not ask gain none", async () => {
  assert.equal(await says(NO_NEW, {}, { newPrivileges: "ON_REQUEST" }), "1");
  if (own === "0") assert.equal(await says(NO_NEW, { allowNewPrivileges: true }, { newPrivileges: "ON_REQUEST" }), "0");
});

Deno.test("a supervisor that says nothing leaves privileges as they are, unless the job says", async () => {
  assert.equal(await says(NO_NEW, {}, {}), own);
  assert.equal(await says(NO_NEW, { noNewPrivileges: true }, {}), "1");
});

Deno.test("lent variables reach only those jobs that ask, and count less than all others", async () => {
  const options = { inheritableEnv: { TZ: "Mars", HOME: "/lent", X: "lent" }, env: { HOME: "/server" } };
  const script = 'echo "$TZ $HOME $X"';
  assert.equal(await says(script, {}, options), "/server");
  assert.equal(await says(script, { inheritEnv: true, env: { X: "own" } }, options), "Mars /server own");
  await using supervisor = new Supervisor();
  await assert.rejects(supervisor.add("true", [], { inheritEnv: true }), /this server has none for its jobs/);
});

Deno.test("add() refuses what the host cannot do, and no job is made", async () => {
  await using supervisor = new Supervisor();
  const openFiles = Number(await Deno.readTextFile("/proc/sys/fs/nr_open")) + 1;
  await assert.rejects(supervisor.add("true", [], { rlimits: { openFiles } }), NotEnforceableError);
  assert.equal((await jobCounts(supervisor)).jobs, 0);
});

Deno.test("a job keeps all of it over a restart, and what the next life cannot do it refuses to start", async () => {
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
  const options: JobOptions = { umask: 0o77, nice: 3, rlimits: { openFiles: 50 }, inheritEnv: true };
  let kept = "";
  let refused = "";
  {
    await using supervisor = new Supervisor({ directory, inheritableEnv: { X: "one" } });
    kept = await supervisor.add("sh", ["-c", 'umask; nice; ulimit -n; echo "$X"'], options);
    refused = await supervisor.add("true", [], { inheritEnv: true });
  }
  {
    await using supervisor = new Supervisor({ directory, inheritableEnv: { X: "two" } });
    const { stdout } = await new Deno.Command("nice").output();
    const nice = Math.min(19, Number(new TextDecoder().decode(stdout)) + 3);
    assert.equal(await finalText(supervisor, kept), `0077\n${nice}\n50\ntwo\n`);
  }
  {
    await using supervisor = new Supervisor({ directory });
    await assert.rejects(supervisor.start(refused), NotEnforceableError);
    assert.equal((await supervisor.status(refused)).state, "INITIAL");
  }
  await Deno.remove(directory, { recursive: true });
});

/** A machine that is busy with something else may be late once; one that is always late is what is looked for. */
const TRIES = 5;

for (
  const [script, options, dueMs] of [
    ["exec sleep 1000", { timeoutMs: 300 }, 300],
    ["sleep 1000 & sleep 1000 & wait", { timeoutMs: 300 }, 300],
    ["exec sleep 1000", { timeoutMs: 300, umask: 0, nice: 1 }, 300],
  ] as const
) {
  Deno.test(`a job ends within 200 ms of its time: ${script}, ${JSON.stringify(options)}`, async () => {
    await using supervisor = new Supervisor();
    const lateMs: number[] = [];
    while (lateMs.length < TRIES && !lateMs.some((ms) => ms <= 200)) {
      const id = await supervisor.add("sh", ["-c", script], options);
      await supervisor.start(id);
      for await (const _ of supervisor.watchStatus(id));
      const status = await supervisor.status(id);
      assert.ok(status.state === "KILLED" && status.reason === "TIMED_OUT");
      const late = status.endedAt!.getTime() - status.startedAt!.getTime() - dueMs;
      assert.ok(late >= -1, `${late} ms`); // Moments are whole milliseconds: one may be cut off.
      lateMs.push(late);
    }
    assert.ok(lateMs.some((ms) => ms <= 200), `${lateMs} ms late`);
  });
}

/** Stands for a running job: admission reads only the owner. */
const runningJob = (owner?: string) => ({ spec: { owner } }) as AnyJob;

Deno.test("admit() counts running jobs only when a job is about to start", () => {
  const options = { maxRunning: 1 };
  admit({}, options);
  admit({}, options, []);
  assert.throws(() => admit({}, options, [runningJob()]), LimitReachedError);
});

Deno.test("admit() counts the running jobs of the owner alone for the limit of one owner", () => {
  const options = { maxRunningPerOwner: 1 };
  admit({ owner: "ann" }, options, [runningJob("bob"), runningJob()]);
  assert.throws(() => admit({ owner: "ann" }, options, [runningJob("ann")]), LimitReachedError);
});

Deno.test("admit() refuses at registration and at start what this server cannot enforce", () => {
  for (const running of [undefined, []]) {
    for (const job of [{ inheritEnv: true }, { cgroupLimits: { maxCpus: 1 } }]) {
      assert.throws(() => admit(job, {}, running), NotEnforceableError, JSON.stringify(job));
    }
    assert.throws(() => admit({ allowNewPrivileges: true }, { newPrivileges: "DENIED" }, running), NotEnforceableError);
  }
});

Deno.test("checkDefaults() refuses limits of cgroups on a server without cgroups", () => {
  checkDefaults({ defaultLimits: { timeoutMs: 1 } });
  assert.throws(() => checkDefaults({ maxLimits: { cgroupLimits: { maxProcesses: 1 } } }), NotEnforceableError);
});
