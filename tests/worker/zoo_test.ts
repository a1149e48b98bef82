/**
 * Every program of the zoo, in a cgroup and without one, stopped and left behind: nothing of it is left, in bounded time.
 * Slow: 80 programs that try to get away.
 */
import assert from "node:assert/strict";
import type { ProcessOptions } from "../../worker/process/options.ts";
import { Process } from "../../worker/process/process.ts";
import { readEntry, scanProcesses } from "../../worker/linux/procfs.ts";
import type { ProcessStatus } from "../../worker/process/state.ts";
import { cgroupTest } from "../support/cgroups.ts";
import { type Animal, CHAIN, DETACHED, HEADLESS, NEXT, REGROUPED, ZOO } from "./zoo.ts";
import { Sink } from "../support/sink.ts";

const GRACE_MS = 200;
/** What is left behind a leader has a second of grace; the rest is room for a machine with other things to do. */
const MAX_MS = 8_000;

/** The living processes that carry a job's mark: those that did not tell their pid are found too. */
async function marked(id: string): Promise<number[]> {
  const entries = await scanProcesses() ?? [];
  return entries.filter(({ zombie }) => !zombie).map(({ pid }) => pid).filter((pid) => {
    try {
      return Deno.readTextFileSync(`/proc/${pid}/environ`).includes(`TELEPORT_ID=${id}`);
    } catch {
      return false;
    }
  });
}

function hasProgram(name: string): boolean {
  return new Deno.Command("sh", { args: ["-c", `command -v ${name}`], stdout: "null" }).outputSync().success;
}

/** Whether any thread of a process lives. */
function hasThread(pid: number): boolean {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/task`)].some(({ name }) =>
      !/\) [ZX] /.test(Deno.readTextFileSync(`/proc/${pid}/task/${name}/stat`))
    );
  } catch {
    return false;
  }
}

/** Reads until the first thread of a process has ended: nothing tells that. */
async function firstThreadEnds(pid: number): Promise<void> {
  for (const end = performance.now() + MAX_MS; !/\) Z /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));) {
    assert.ok(performance.now() < end, `The first thread of ${pid} runs`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function tame(animal: Animal, leader: "stays" | "leaves", options: ProcessOptions): Promise<void> {
  const place = await Deno.makeTempDir({ prefix: "teleport-test-zoo-" });
  try {
    await tameIn(place, animal, leader, options);
  } finally {
    await Deno.remove(place, { recursive: true });
  }
}

async function tameIn(
  place: string,
  animal: Animal,
  leader: "stays" | "leaves",
  options: ProcessOptions,
): Promise<void> {
  const program = async (name: string, source: string) => {
    await Deno.writeTextFile(`${place}/${name}.ts`, source);
    return `${place}/${name}.ts`;
  };
  const env = {
    DENO: Deno.execPath(),
    DENO_DIR: `${place}/deno`,
    DENO_NO_UPDATE_CHECK: "1",
    NEXT,
    DETACHED: await program("detached", DETACHED),
    REGROUPED: await program("regrouped", REGROUPED),
    CHAIN: await program("chain", CHAIN),
    HEADLESS: await program("headless", HEADLESS),
  };
  const id = crypto.randomUUID();
  const output = new Sink();
  const end = leader === "leaves" ? "read -r go; exit 3" : animal.stays ?? "exec sleep 1000";
  const process = new Process("sh", ["-c", `${animal.script}\n${end}`], { id, env, output, input: true, ...options });
  const final = process.start();
  const pids = (await output.lines(animal.lines)).map(Number);
  const leaderPid = "pid" in process.status ? process.status.pid : undefined;
  for (const pid of pids) {
    if (animal.isShortLived) continue;
    if (animal.isHeadless) await firstThreadEnds(pid);
    const entry = readEntry(pid);
    assert.ok(entry?.zombie === false, `${pid} does not run: ${output.text.stdout}`);
    if (animal.own !== undefined) assert.notEqual(entry.pgrp, leaderPid);
    if (animal.own === "session") assert.notEqual(entry.session, leaderPid);
    if (animal.own === "group") assert.equal(entry.session, leaderPid);
  }
  const begin = performance.now();
  let status: ProcessStatus;
  if (leader === "stays") status = await process.stop({ graceMs: GRACE_MS });
  else {
    // It leaves when it is told to, so that all is there before.
    await process.input?.take((async function* () {
      yield { end: true };
    })());
    status = await final;
  }
  const tookMs = performance.now() - begin;
  assert.ok(tookMs < MAX_MS, `It took ${tookMs} ms`);
  for (const pid of pids) assert.ok(!hasThread(pid), `${pid} of ${pids} runs`);
  // One look may miss what forks and leaves meanwhile; so many do not.
  for (let look = 0; look < (animal.isShortLived ? 5 : 1); look++) assert.deepEqual(await marked(id), []);
  if (leader === "leaves") assert.ok(status.state === "EXITED" && status.exitCode === 3, JSON.stringify(status));
  else assert.ok(status.state === "KILLED" && status.reason === "STOPPED", JSON.stringify(status));
  if (animal.output !== undefined) assert.match(output.text.stdout, animal.output);
}

for (const animal of ZOO) {
  for (const leader of ["stays", "leaves"] as const) {
    if (animal.only !== undefined && animal.only !== leader) continue;
    const how = leader === "stays" ? "is stopped" : "leaves";
    const name = `what ${animal.name} is ended when it ${how}`;
    const lacks = animal.needs !== undefined && !hasProgram(animal.needs);
    if (lacks) {
      Deno.test(`${name} (skipped: this machine has no ${animal.needs})`, { ignore: true }, () => {});
      continue;
    }
    Deno.test(`${name}, without a cgroup`, () => tame(animal, leader, {}));
    cgroupTest(`${name}, in a cgroup`, async (cgroups) => {
      await tame(animal, leader, { cgroup: () => cgroups.create("job", {}, "/") });
    });
  }
}
