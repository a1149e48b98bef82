/** The limits file: its documented fields, and the refusal of everything else. */
import assert from "node:assert/strict";
import { checkLimits, NotEnforceableError, Supervisor } from "../../mod.ts";
import { limitsErrorOf, parseLimits } from "../../teleportd/limits_file.ts";
import { StartError } from "../../teleportd/start_error.ts";
import { readLimits } from "../../teleportd/supervisor_options.ts";
import { tempDir } from "../support/temp_dir.ts";

Deno.test("parseLimits() reads every field", () => {
  const text = JSON.stringify({
    comment: "for the build machines",
    default: { timeout: "1h", ulimits: { nofile: 1_024, core: 0 }, read_rate: "1MB", write_rate: "2MB" },
    max: {
      timeout: "1d",
      ulimits: { as: "8G", cpu: "2h", fsize: "1GiB", nproc: "500" },
      comment: [1],
      memory: "2G",
      cpus: 1.5,
      pids: 64,
    },
    running: 200,
    running_per_user: 20,
  });
  assert.deepEqual(parseLimits(text), {
    defaultLimits: {
      timeoutMs: 3_600_000,
      rlimits: { openFiles: 1_024, coreBytes: 0 },
      cgroupLimits: { maxReadBytesPerS: 1_000_000, maxWriteBytesPerS: 2_000_000 },
    },
    maxLimits: {
      timeoutMs: 86_400_000,
      rlimits: { addressSpaceBytes: 2 ** 33, cpuSeconds: 7_200, fileBytes: 2 ** 30, processes: 500 },
      cgroupLimits: { maxMemoryBytes: 2 ** 31, maxCpus: 1.5, maxProcesses: 64 },
    },
    maxRunning: 200,
    maxRunningPerOwner: 20,
  });
  assert.deepEqual(parseLimits("{}"), {});
});

const bad: readonly (readonly [unknown, RegExp])[] = [
  [[], /give an object/],
  [null, /give an object/],
  [{ defaults: {} }, /unknown field "defaults": give "default"/],
  [{ default: { ulimit: {} } }, /at "default": unknown field "ulimit"/],
  [{ default: { ulimits: { nofiles: 5 } } }, /default\.ulimits: give NAME=VALUE with a name of/],
  [{ max: { ulimits: { nofile: -1 } } }, /max\.ulimits nofile: give an integer/],
  [{ max: { ulimits: { nofile: [1] } } }, /at "max\.ulimits\.nofile": give a number or a string/],
  [{ max: { ulimits: 5 } }, /at "max\.ulimits": give an object/],
  [{ max: { timeout: 5 } }, /at "max\.timeout": give a string/],
  [{ max: { timeout: "5" } }, /a unit is missing/],
  [{ max: { timeout: "0s" } }, /out of bounds/],
  [{ max: { memory: 5 } }, /at "max\.memory": give a string such as "512MiB"/],
  [{ max: { memory: "much" } }, /Invalid size "much" for max\.memory/],
  [{ max: { cpus: "2" } }, /at "max\.cpus": give a number above 0/],
  [{ max: { cpus: 0 } }, /at "max\.cpus": /],
  [{ default: { pids: 0.5 } }, /at "default\.pids": give an integer from 1/],
  [{ default: { read_rate: 7 } }, /at "default\.read_rate": /],
  [{ default: { write_rate: "0" } }, /Invalid size "0" for default\.write_rate/],
  [{ default: { io_path: "/" } }, /unknown field "io_path"/],
  [{ running: 0 }, /at "running": give an integer from 1/],
  [{ running: "5" }, /at "running": /],
  [{ running_per_user: 1.5 }, /at "running_per_user": /],
];

for (const [value, sentence] of bad) {
  Deno.test(`parseLimits() refuses ${JSON.stringify(value)}`, () => {
    assert.throws(() => parseLimits(JSON.stringify(value)), (error) => {
      assert.ok(error instanceof StartError);
      assert.match(error.message, sentence);
      assert.match(error.message, /^Cannot use the limits file: .*[^.]$/);
      return true;
    });
  });
}

Deno.test("parseLimits() refuses a text that is not JSON or too long", () => {
  assert.throws(() => parseLimits("{"), /it is not JSON/);
  assert.throws(() => parseLimits(" ".repeat(65_537)), /too long/);
});

Deno.test("the limits file in docs/stop-and-limits.md can be used", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/stop-and-limits.md", import.meta.url));
  const [, example = ""] = /```json\n([^]*?)```/.exec(text) ?? [];
  const limits = parseLimits(example);
  checkLimits(limits);
  assert.equal(limits.maxRunning, 200);
});

Deno.test("limitsErrorOf() names the file, the keys and the remedy", () => {
  const limits = parseLimits('{ "max": { "cpus": 2, "timeout": "1h" }, "default": { "pids": 9 } }');
  let refusal: unknown;
  try {
    new Supervisor(limits);
  } catch (error) {
    refusal = error;
  }
  assert.ok(refusal instanceof NotEnforceableError, String(refusal));
  const error = limitsErrorOf(refusal, "/etc/limits.json", limits);
  assert.ok(error instanceof StartError);
  assert.equal(
    error.message,
    'Cannot enforce "default.pids" and "max.cpus" of the limits file "/etc/limits.json": ' +
      "Cannot limit cores and the number of processes on this server: it has no cgroups; " +
      "correct the file, or start the server where its cgroup can limit jobs",
  );
});

Deno.test("limitsErrorOf() leaves other errors as they are", () => {
  const other = new Error("another one");
  assert.equal(limitsErrorOf(other, "/etc/limits.json", { maxLimits: { cgroupLimits: { maxCpus: 2 } } }), other);
  const refusal = new NotEnforceableError("Cannot do this here");
  assert.equal(limitsErrorOf(refusal, undefined, {}), refusal);
  assert.equal(limitsErrorOf(refusal, "/etc/limits.json", {}), refusal);
});

Deno.test("readLimits() names the file of a default above its maximum, and writes both as people do", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/limits.json`;
  await Deno.writeTextFile(path, '{ "default": { "timeout": "3h" }, "max": { "timeout": "2h" } }');
  await assert.rejects(() => readLimits(path), {
    name: "StartError",
    message: `Cannot use the limits file "${path}": The timeout must be at most 2h on this server, got 3h`,
  });
});
