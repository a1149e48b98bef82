/** Tests for admission: limits, running jobs, privileges and inheritable variables, also after a restart. */
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
import { tempDir } from "../../support/temp_dir.ts";
import { finalStatus } from "../../support/final_status.ts";

async function finalText(supervisor: Supervisor, id: string): Promise<string> {
  await supervisor.start(id);
  let text = "";
  for await (const { data } of supervisor.watchOutput(id)) text += new TextDecoder().decode(data);
  return text;
}

/** Returns the output of a shell script as a job with these options of a supervisor with these limits. */
async function says(script: string, options: JobOptions, limits: SupervisorOptions): Promise<string> {
  await using supervisor = new Supervisor(limits);
  return (await finalText(supervisor, await supervisor.add("sh", ["-c", script], options))).trim();
}

const LIMITS: SupervisorOptions = {
  defaultLimits: { timeoutMs: 50_000, rlimits: { openFiles: 100 } },
  maxLimits: { timeoutMs: 60_000, rlimits: { openFiles: 200, cpuSeconds: 30 } },
};

Deno.test("add() gives a job its own limits, then the defaults, then the maximums", async () => {
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

Deno.test("add() refuses a limit above its maximum and names the maximum", async () => {
  await using supervisor = new Supervisor(LIMITS);
  for (
    const [options, sentence] of [
      [
        { timeoutMs: 60_001 },
        /^The timeout .* at most 1m .* got 1m1ms$/,
      ],
      [{ rlimits: { openFiles: 201 } }, /open files .* at most 200 .* got 201$/],
      [{ rlimits: { cpuSeconds: 31 } }, /processor time .* at most 30s .* got 31s$/],
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

Deno.test("new Supervisor() refuses limits of cgroups that it cannot enforce", () => {
  for (const limits of ["defaultLimits", "maxLimits"] as const) {
    assert.throws(() => new Supervisor({ [limits]: { cgroupLimits: { maxCpus: 1 } } }), NotEnforceableError);
  }
});

Deno.test("new Supervisor() refuses invalid limits", () => {
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

Deno.test("start() refuses a job above maxRunning, and starts it when another has ended", async () => {
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
  await supervisor.start(one); // The job runs already, so this starts nothing.
  await supervisor.stop(one);
  await supervisor.start(three);
  await assert.rejects(supervisor.start(await supervisor.add(...SLEEP)), LimitReachedError);
});

Deno.test("start() lets no more than maxRunning of many concurrent starts succeed", async () => {
  await using supervisor = new Supervisor({ maxRunning: 5, closeGraceMs: 0 });
  const ids = await Promise.all(Array.from({ length: 20 }, () => supervisor.add(...SLEEP)));
  const results = await Promise.allSettled(ids.map((id) => supervisor.start(id)));
  assert.equal(results.filter(({ status }) => status === "fulfilled").length, 5);
  assert.equal((await jobCounts(supervisor)).running, 5);
});

Deno.test("start() counts the jobs of each owner for maxRunningPerOwner", async () => {
  await using supervisor = new Supervisor({ maxRunning: 3, maxRunningPerOwner: 2, closeGraceMs: 0 });
  const add = (owner?: string) => supervisor.add(...SLEEP, owner === undefined ? {} : { owner });
  for (const owner of ["ann", "ann"]) await supervisor.start(await add(owner));
  await assert.rejects(supervisor.start(await add("ann")), /more than 2 jobs of one user/);
  await supervisor.start(await add("bob"));
  await assert.rejects(supervisor.start(await add("bob")), /more than 3 jobs at a time/);
});

Deno.test("start() does not count jobs that failed to start", async () => {
  await using supervisor = new Supervisor({ maxRunning: 1 });
  for (let i = 0; i < 3; i++) {
    const id = await supervisor.add("no-such-program");
    await supervisor.start(id);
    assert.equal((await finalStatus(supervisor, id)).state, "FAILED");
  }
});

const NO_NEW = "sed -n 's/^NoNewPrivs:\\t//p' /proc/self/status";
const own = gainsNoPrivileges() ? "1" : "0";

Deno.test("newPrivileges DENIED: no job gains privileges, and add() refuses allowNewPrivileges", async () => {
  assert.equal(await says(NO_NEW, {}, { newPrivileges: "DENIED" }), "1");
  await using supervisor = new Supervisor({ newPrivileges: "DENIED" });
  await assert.rejects(supervisor.add("true", [], { allowNewPrivileges: true }), NotEnforceableError);
});

Deno.test("newPrivileges ON_REQUEST: only jobs with allowNewPrivileges gain privileges", async () => {
  assert.equal(await says(NO_NEW, {}, { newPrivileges: "ON_REQUEST" }), "1");
  if (own === "0") assert.equal(await says(NO_NEW, { allowNewPrivileges: true }, { newPrivileges: "ON_REQUEST" }), "0");
});

Deno.test("without newPrivileges a job keeps the privileges of the server, except with noNewPrivileges", async () => {
  assert.equal(await says(NO_NEW, {}, {}), own);
  assert.equal(await says(NO_NEW, { noNewPrivileges: true }, {}), "1");
});

Deno.test("inheritableEnv reaches only jobs with inheritEnv, and all other variables override it", async () => {
  const options = { inheritableEnv: { TZ: "Mars", HOME: "/lent", X: "lent" }, env: { HOME: "/server" } };
  const script = 'echo "$TZ $HOME $X"';
  assert.equal(await says(script, {}, options), "/server");
  assert.equal(await says(script, { inheritEnv: true, env: { X: "own" } }, options), "Mars /server own");
  await using supervisor = new Supervisor();
  await assert.rejects(supervisor.add("true", [], { inheritEnv: true }), /this server has none for its jobs/);
});

Deno.test("add() refuses an option that the host cannot enforce, and adds no job", async () => {
  await using supervisor = new Supervisor();
  const openFiles = Number(await Deno.readTextFile("/proc/sys/fs/nr_open")) + 1;
  await assert.rejects(supervisor.add("true", [], { rlimits: { openFiles } }), NotEnforceableError);
  assert.equal((await jobCounts(supervisor)).jobs, 0);
});

Deno.test("start() applies the options of a job after a restart, and refuses them when they can no longer be enforced", async () => {
  await using temporary = await tempDir();
  const directory = temporary.path;
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
});

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
