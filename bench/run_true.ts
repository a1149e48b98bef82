/** Budget 3: the time that `teleport run true` takes, against `ssh localhost true`. */
import { bundledClient, clientEnvironment, type ClientProgram, SOURCES } from "./client_program.ts";
import { type Budget, type Finding, skipped } from "./finding.ts";
import { checked } from "./shell.ts";
import { startSshd } from "./ssh/sshd.ts";
import { connectTo, type Server, type Stage, startTeleportd } from "./stage.ts";
import { list, median } from "./statistics.ts";

/** The most of the time of ssh. */
const MAX_SHARE = 0.5;
const BUDGET = { what: "`teleport run true` against `ssh localhost true`", budget: `at most ${MAX_SHARE} of its time` };
const BUNDLE = { what: "the same from the bundle", budget: BUDGET.budget };
const HOSTED = { what: "`teleport run true` against `--job-host none`", budget: "at most 1.03 of its time" };

/** Returns the milliseconds that work takes. */
export async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Returns the milliseconds that a command takes. The command must succeed. */
function time([command = "", ...args]: readonly string[], env: Record<string, string> = {}): Promise<number> {
  return timeOf(() => checked(command, args, { env }));
}

/** Runs the client, and returns the milliseconds that it takes. */
export function runTrue(stage: Stage, server: Server, program: ClientProgram = SOURCES): Promise<number> {
  return time(program.command(["run", "true"]), clientEnvironment(stage, server));
}

/** Runs sources, bundle and ssh in turns. */
async function measureSsh(stage: Stage): Promise<Finding[]> {
  const sshd = await startSshd(stage);
  if (typeof sshd === "string") return [skipped(BUDGET, sshd), skipped(BUNDLE, sshd)];
  await using _sshd = sshd;
  const bundle = await bundledClient(stage);
  await using teleportd = await startTeleportd(stage);
  await using client = connectTo(stage, teleportd);
  const programs = typeof bundle === "string" ? [SOURCES] : [SOURCES, bundle];
  const times = programs.map((): number[] => []);
  const ssh: number[] = [];
  const rounds = stage.quick ? 3 : 11;
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const own: number[] = [];
    for (const program of programs) own.push(await runTrue(stage, teleportd, program));
    const other = await time(sshd.command("true"));
    if (round === 0) continue;
    for (const [index, ms] of own.entries()) times[index]?.push(ms);
    ssh.push(other);
  }
  const { jobs } = await client.calls.List({});
  const expected = (rounds + 1) * programs.length;
  if (jobs.length !== expected) throw new Error(`Expected ${expected} jobs, got ${jobs.length}`);
  return [
    finding(BUDGET, times[0] ?? [], ssh),
    typeof bundle === "string" ? skipped(BUNDLE, bundle) : finding(BUNDLE, times[1] ?? [], ssh),
  ];
}

function finding(budget: Budget, own: readonly number[], ssh: readonly number[]): Finding {
  const ratio = median(own.map((ms, round) => ms / (ssh[round] ?? NaN)));
  return {
    ...budget,
    measured: ratio.toFixed(2),
    met: ratio <= MAX_SHARE,
    notes: [
      `${median(own).toFixed(0)} ms against ${median(ssh).toFixed(0)} ms (medians)`,
      `rounds: ${list(own)} against ${list(ssh)}`,
      "bounded by the start of the client, mostly the loading of its modules; profile: bench/profiles/run_true.txt",
    ],
  };
}

/** Runs it alternately with the default, and with a server that runs the jobs itself. */
async function measureHosted(stage: Stage): Promise<Finding> {
  await using teleportd = await startTeleportd(stage);
  await using alone = await startTeleportd(stage, { jobHost: "none" });
  const rounds = stage.quick ? 3 : 21;
  const found: number[] = [];
  const none: number[] = [];
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const [own, other] = [await runTrue(stage, teleportd), await runTrue(stage, alone)];
    if (round === 0) continue;
    found.push(own);
    none.push(other);
  }
  return shareOf(HOSTED, 1.03, found, none);
}

/** Compares the medians of times in milliseconds. */
export function shareOf(budget: Budget, atMost: number, own: readonly number[], other: readonly number[]): Finding {
  const ratio = median(own) / median(other);
  return {
    ...budget,
    measured: ratio.toFixed(2),
    met: ratio <= atMost,
    notes: [
      `${median(own).toFixed(0)} ms against ${median(other).toFixed(0)} ms (medians)`,
      `rounds: ${list(own)} against ${list(other)}`,
    ],
  };
}

/** Measures against ssh, and against a server that runs the jobs itself. */
export async function measureRunTrue(stage: Stage): Promise<Finding[]> {
  return [...await measureSsh(stage), await measureHosted(stage)];
}
