/**
 * Tests that every runaway program ends with its job in bounded time, with and without a cgroup, at a stop and at the
 * leader's exit. Slow: about 80 programs.
 */
import assert from "node:assert/strict";
import { tempDir } from "../../support/temp_dir.ts";
import { eventually } from "../../support/deadline.ts";
import type { ProcessOptions } from "../../../worker/process/options.ts";
import { Process } from "../../../worker/process/process.ts";
import { readEntry } from "../../../worker/linux/procfs.ts";
import type { ProcessStatus } from "../../../worker/process/state.ts";
import { cgroupTest } from "../../support/cgroups.ts";
import {
  CHAIN,
  DETACHED,
  HEADLESS,
  IGNORER,
  NEXT,
  REGROUPED,
  type Runaway,
  RUNAWAYS,
  SLEEPER,
} from "../../support/runaways.ts";
import { Sink } from "../../support/sink.ts";
import { skippedIf } from "../../support/needs.ts";
import { hasThread, markedProcesses } from "../../support/job_processes.ts";

const GRACE_MS = 200;
/** Survivors have a second of grace. The rest is room for a busy machine. */
const MAX_MS = 40_000;

function hasProgram(name: string): boolean {
  return new Deno.Command("sh", { args: ["-c", `command -v ${name}`], stdout: "null" }).outputSync().success;
}

/** Waits until the first thread of a process has ended. No event reports it, so this polls. */
async function firstThreadEnds(pid: number): Promise<void> {
  const isEnded = () => /\) Z /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  await eventually(isEnded, `the end of the first thread of ${pid}`, MAX_MS);
}

async function testRunaway(runaway: Runaway, leader: "stays" | "leaves", options: ProcessOptions): Promise<void> {
  await using place = await tempDir();
  await testRunawayIn(place.path, runaway, leader, options);
}

async function testRunawayIn(
  place: string,
  runaway: Runaway,
  leader: "stays" | "leaves",
  options: ProcessOptions,
): Promise<void> {
  const program = async (name: string, source: string, interpreter = `${Deno.execPath()} run -A`) => {
    await Deno.writeTextFile(`${place}/${name}.ts`, source);
    return `${interpreter} ${place}/${name}.ts`;
  };
  const env = {
    DENO_DIR: `${place}/deno`,
    DENO_NO_UPDATE_CHECK: "1",
    NEXT,
    DETACHED: await program("detached", DETACHED),
    REGROUPED: await program("regrouped", REGROUPED),
    CHAIN: await program("chain", CHAIN),
    HEADLESS: await program("headless", HEADLESS),
    SLEEPER: await program("sleeper", SLEEPER, "sh"),
    IGNORER: await program("ignorer", IGNORER, "sh"),
  };
  const id = crypto.randomUUID();
  const output = new Sink();
  const end = leader === "leaves" ? "read -r go; exit 3" : runaway.stays ?? "exec sleep 1000";
  const process = new Process("sh", ["-c", `${runaway.script}\n${end}`], { id, env, output, input: true, ...options });
  const final = process.start();
  const pids = (await output.lines(runaway.lines)).map(Number);
  const leaderPid = "pid" in process.status ? process.status.pid : undefined;
  for (const pid of pids) {
    if (runaway.isShortLived) continue;
    if (runaway.isHeadless) await firstThreadEnds(pid);
    const entry = readEntry(pid);
    assert.ok(entry?.zombie === false, `${pid} does not run: ${output.text.stdout}`);
    if (runaway.own !== undefined) assert.notEqual(entry.pgrp, leaderPid);
    if (runaway.own === "session") assert.notEqual(entry.session, leaderPid);
    if (runaway.own === "group") assert.equal(entry.session, leaderPid);
  }
  const begin = performance.now();
  let status: ProcessStatus;
  if (leader === "stays") status = await process.stop({ graceMs: GRACE_MS });
  else {
    // The leader exits at the end of its input, when all its processes exist.
    await process.input?.accept((async function* () {
      yield { end: true };
    })());
    status = await final;
  }
  const tookMs = performance.now() - begin;
  assert.ok(tookMs < MAX_MS, `It took ${tookMs} ms`);
  for (const pid of pids) assert.ok(!hasThread(pid), `${pid} of ${pids} runs`);
  // One scan may miss a process that forks and ends in that time. Five scans do not.
  for (let scan = 0; scan < (runaway.isShortLived ? 5 : 1); scan++) {
    assert.deepEqual(await markedProcesses(new Set([id])), []);
  }
  if (leader === "leaves") assert.ok(status.state === "EXITED" && status.exitCode === 3, JSON.stringify(status));
  else assert.ok(status.state === "KILLED" && status.reason === "STOPPED", JSON.stringify(status));
  if (runaway.output !== undefined) assert.match(output.text.stdout, runaway.output);
}

for (const runaway of RUNAWAYS) {
  for (const leader of ["stays", "leaves"] as const) {
    if (runaway.only !== undefined && runaway.only !== leader) continue;
    const how = leader === "stays" ? "is stopped" : "exits";
    const name = `a job that ${runaway.name} leaves no process when it ${how}`;
    const lacks = runaway.needs !== undefined && !hasProgram(runaway.needs);
    if (lacks) {
      Deno.test(skippedIf(`needs ${runaway.needs}`, name), () => {});
      continue;
    }
    Deno.test(`${name}, without a cgroup`, () => testRunaway(runaway, leader, {}));
    cgroupTest(`${name}, in a cgroup`, async (cgroups) => {
      await testRunaway(runaway, leader, { cgroup: () => cgroups.create("job", {}, "/") });
    });
  }
}
