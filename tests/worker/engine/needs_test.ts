/** Tests of which jobs go to an engine, and of what the engine must know. */
import assert from "node:assert/strict";
import type { Engine } from "../../../worker/engine/engine.ts";
import { checkEngine, engineOf, goesToEngine, hostSpec, needsOf } from "../../../worker/engine/needs.ts";
import type { Placing } from "../../../worker/engine/placing.ts";
import { NotEnforceableError } from "../../../worker/errors.ts";
import type { JobOptions, JobSpec } from "../../../worker/job/spec.ts";

const never = () => Promise.reject(new Error("not used"));
const engine: Engine = { name: "slurm", submit: never, find: never, cancel: never, words: never };

function placing(isDefault: boolean): Placing {
  return { engine, isDefault, defaults: {}, gate: { token: never, report: never, open: never, close: never } };
}

Deno.test("a job goes to the engine that it names, and else to the default of the server", () => {
  const rows: readonly (readonly [string | undefined, Placing | undefined, string | undefined, boolean])[] = [
    [undefined, undefined, undefined, false],
    [undefined, placing(false), "local", false],
    [undefined, placing(true), "slurm", true],
    ["local", placing(true), "local", false],
    ["slurm", placing(false), "slurm", true],
    ["slurm", undefined, undefined, false],
  ];
  for (const [name, where, resolved, goes] of rows) {
    const options = name === undefined ? {} : { engine: name };
    assert.equal(engineOf(options, where), resolved);
    assert.equal(goesToEngine(options, where), goes);
  }
});

Deno.test("checkEngine() refuses what an engine cannot do, and says why", () => {
  const rows: readonly (readonly [JobOptions, Placing | undefined, RegExp])[] = [
    [{ engine: "slurm" }, undefined, /engine "slurm": this server has local$/],
    [{ engine: "nomad" }, placing(true), /engine "nomad": this server has local and slurm$/],
    [{ partition: "main" }, undefined, /a partition here: the job runs on the server's own machine$/],
    [{ partition: "main" }, placing(false), /a partition here/],
    [{ nodeConstraint: "gpu", engine: "local" }, placing(true), /a node constraint here/],
    [{ cgroupLimits: { maxProcesses: 5 } }, placing(true), /limit on processes on a node of slurm/],
    [{ engine: "slurm", cgroupLimits: { maxReadBytesPerS: 5 } }, placing(false), /on a node of slurm/],
  ];
  for (const [options, where, message] of rows) {
    assert.throws(() => checkEngine(options, where), (error) => {
      assert.ok(error instanceof NotEnforceableError);
      assert.match(error.message, message);
      return true;
    });
  }
  const asUser = /as another user on a node of slurm: jobs there run as the user of this server, which is not root$/;
  assert.throws(() => checkEngine({ user: "ann" }, placing(true), {}, 1_000), asUser);
  assert.throws(() => checkEngine({ group: "lab" }, placing(true), {}, 1_000), /as another group on a node/);
  checkEngine({ user: "ann", group: "lab" }, placing(true), {}, 0);
  checkEngine({ user: "ann", engine: "local" }, placing(true), {}, 1_000);
  checkEngine({ engine: "local" }, undefined);
  checkEngine({ cgroupLimits: { maxProcesses: 5 } }, placing(false));
  checkEngine({ partition: "main", cgroupLimits: { maxCpus: 2, maxMemoryBytes: 1e9 } }, placing(true));
});

Deno.test("checkEngine() says that a limit is the server's, which its user cannot leave out", () => {
  const server = { maxProcesses: 100 };
  const refusal = (maxProcesses: number) => {
    const check = () => checkEngine({ cgroupLimits: { maxProcesses } }, placing(true), server);
    return assert.throws(
      check,
      maxProcesses === 100 ? /this server has it for every job: use engine local, or ask/ : /: leave it out/,
    );
  };
  refusal(100);
  refusal(50);
});

Deno.test("needsOf() includes the time of a stop, and the defaults of the server", () => {
  const defaults = { partition: "short", account: "lab" };
  assert.deepEqual(needsOf({}, defaults), defaults);
  assert.deepEqual(needsOf({ timeoutMs: 60_000, partition: "main", nodeConstraint: "gpu" }, defaults), {
    partition: "main",
    account: "lab",
    runMs: 70_000,
    constraint: "gpu",
  });
  const limits = { cgroupLimits: { maxCpus: 1.5, maxMemoryBytes: 2 ** 30 }, timeoutMs: 1_000, graceMs: 0 };
  assert.deepEqual(needsOf(limits, {}), { cpus: 1.5, memoryBytes: 2 ** 30, runMs: 1_000 });
  assert.deepEqual(needsOf({ timeoutMs: 0 }, {}), {});
});

Deno.test("hostSpec() leaves out what the engine enforces", () => {
  const spec: JobSpec = {
    id: "1",
    command: "true",
    args: [],
    cwd: "/",
    registeredAt: new Date(0),
    nice: 5,
    engine: "slurm",
    partition: "main",
    nodeConstraint: "gpu",
    cgroupLimits: { maxCpus: 1 },
  };
  const { engine: _, partition: __, nodeConstraint: ___, cgroupLimits: ____, ...rest } = spec;
  assert.deepEqual(hostSpec(spec), rest);
});
