/** Tests of the limits that the kernel enforces. Each needs its controller. */
import assert from "node:assert/strict";
import type { CgroupLimits } from "../../../base/job_options/cgroup_limits.ts";
import type { CgroupTree } from "../../../worker/cgroup/tree.ts";
import type { ProcessOptions } from "../../../worker/process/options.ts";
import { Process } from "../../../worker/process/process.ts";
import { cgroupTest } from "../../support/cgroups.ts";

/** Runs a script in a cgroup with limits to its end. */
async function run(cgroups: CgroupTree, script: string, limits: CgroupLimits, options: ProcessOptions = {}) {
  let text = "";
  const append = (_stream: unknown, chunk: Uint8Array) => {
    text += new TextDecoder().decode(chunk);
    return Promise.resolve();
  };
  const cgroup = () => cgroups.create(crypto.randomUUID(), limits, "/");
  const process = new Process("sh", ["-c", script], { ...options, output: { append }, cgroup });
  return { status: await process.start(), text };
}

cgroupTest(
  "Process.start() returns OUT_OF_MEMORY for a job over its memory limit, which is killed as a whole",
  async (cgroups) => {
    const maxMemoryBytes = 32 * 1_048_576;
    const { status, text } = await run(
      cgroups,
      "sleep 1000 & echo begin; x=0123456789abcdef; while :; do x=$x$x; done; echo end",
      { maxMemoryBytes },
      { timeoutMs: 60_000 },
    );
    assert.ok(status.state === "KILLED" && status.signal === "SIGKILL", status.state);
    assert.equal(status.reason, "OUT_OF_MEMORY");
    assert.match(text, /^begin\n/);
    assert.doesNotMatch(text, /end/);
    const usage = status.exitReport?.usage;
    assert.ok((usage?.oomKills ?? 0) >= 1);
    assert.equal(usage?.memorySource, "CGROUP");
    assert.ok((usage?.peakMemoryBytes ?? Infinity) <= maxMemoryBytes);
  },
  "memory",
);

cgroupTest("the limit on processes keeps a job from starting more", async (cgroups) => {
  const script = "for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done; echo all of them";
  const free = await run(cgroups, script, { maxProcesses: 100 });
  assert.match(free.text, /all of them/);
  const { status, text } = await run(cgroups, script, { maxProcesses: 4 });
  assert.ok(status.state === "EXITED" && status.exitCode !== 0, "The shell gives up when it cannot fork");
  assert.doesNotMatch(text, /all of them/);
}, "pids");

cgroupTest("the limit on cores bounds the processor time of a job", async (cgroups) => {
  const options = { timeoutMs: 1_500, graceMs: 0 };
  const { status } = await run(cgroups, "while :; do :; done & while :; do :; done", { maxCpus: 0.2 }, options);
  assert.ok(status.state === "KILLED" && status.reason === "TIMED_OUT");
  const usage = status.exitReport?.usage;
  const usedUs = (usage?.cpuUserUs ?? NaN) + (usage?.cpuSystemUs ?? NaN);
  assert.ok(usedUs > 50_000 && usedUs < 600_000, `${usedUs} of at most about 300000 µs`);
}, "cpu");

cgroupTest("the limits apply to the first instruction of a job", async (cgroups) => {
  const script = 'd=$(sed -n "s|^0::||p" /proc/self/cgroup); m=$(sed -n "s|.* / \\([^ ]*\\) .* - cgroup2 .*|\\1|p" ' +
    '/proc/self/mountinfo | head -n 1); cat "$m$d/pids.max"';
  assert.equal((await run(cgroups, script, { maxProcesses: 33 })).text, "33\n");
}, "pids");
