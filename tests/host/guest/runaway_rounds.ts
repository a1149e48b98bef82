/**
 * Runs in the machine, as root. It runs all runaway programs as jobs of the service, several at a time, ends them, and
 * looks for what is left. `runaway_rounds.ts COUNT` does so COUNT times in this one process, because a program of Deno takes
 * seconds to start on an emulated processor. It calls the service as the command line does, over mutual TLS, and
 * continues after a lost connection. A server or a job host that was restarted is a fault.
 */
import { followOutput } from "../../../cli/follow/follow_output.ts";
import { followStatus } from "../../../cli/follow/follow_status.ts";
import { Outages, retryUntilAnswered } from "../../../cli/follow/outage.ts";
import { registerJob } from "../../../cli/follow/register_job.ts";
import { sendInput } from "../../../cli/follow/send_input.ts";
import type { JobWorkerClient } from "../../../proto/service.ts";
import type { JobStatus } from "../../../proto/teleport/v1/job_worker.ts";
import { connect, type RpcClient } from "../../../rpc/client/client.ts";
import { readEntry } from "../../../worker/linux/procfs.ts";
import { deadline, eventually } from "../../support/deadline.ts";
import { GrowingText } from "../../support/growing_text.ts";
import { hasThread } from "../../support/job_processes.ts";
import { NEXT, type Runaway, RUNAWAYS } from "../../support/runaways.ts";
import { cgroupsBelow, findService, leftFaults } from "./left_behind.ts";

const CERTS = "/root/.config/teleport";
const PROGRAM = "/usr/local/bin/runaway";
const GRACE_MS = 200;
/** The deadline of each wait: the emulated processor is slow, and other programs of its machine make it slower. */
const WAIT_MS = 600_000;
/** The most faults of a round that are printed. */
const MAX_PRINTED = 20;

const ENV = {
  NEXT,
  DETACHED: `${PROGRAM} detached`,
  REGROUPED: `${PROGRAM} regrouped`,
  CHAIN: `${PROGRAM} chain`,
  HEADLESS: `${PROGRAM} headless`,
  SLEEPER: `${PROGRAM} sleeper`,
  IGNORER: `${PROGRAM} ignorer`,
};

/** How the leader of a job ends: by a stop, or by itself. */
type Leader = "stays" | "leaves";

/** The end of one job. */
interface Ended {
  readonly id: string;
  /** The time from the stop, or from the last input of the leader, to the final status, in milliseconds. */
  readonly tookMs: number;
  readonly processes: number;
  readonly faults: readonly string[];
}

const JOBS = RUNAWAYS.flatMap((runaway) =>
  (["stays", "leaves"] as const).filter((leader) => (runaway.only ?? leader) === leader).map((leader) => ({
    runaway,
    leader,
  }))
);

/**
 * The numbers of jobs at a time. Programs that fork forever run apart, because they take the processor time that the others
 * need. Only as many of them as the machine has processors run at a time, so the job host still answers.
 */
const GROUPS = [{ isShortLived: false, atOnce: 8 }, { isShortLived: true, atOnce: 2 }].map((group) => ({
  atOnce: group.atOnce,
  jobs: JOBS.filter(({ runaway }) => (runaway.isShortLived ?? false) === group.isShortLived),
}));

/** The number of times that a job's calls were tried again. */
let retries = 0;
const NOTES = {
  note: (text: string) => {
    if (text !== "The server is back") retries++;
    console.log(`note: ${text}`);
    return Promise.resolve();
  },
};

/** The input of all jobs, which only ends. */
const NO_INPUT = { read: () => Promise.resolve(null) };

/** Runs one program to its end. The faults are empty when all is as it must be. */
async function runJob(calls: JobWorkerClient, runaway: Runaway, leader: Leader): Promise<Ended> {
  try {
    return await runToEnd(calls, runaway, leader);
  } catch (error) {
    const fault = `the job that ${runaway.name}, whose leader ${leader}, was not seen to its end: ${error}`;
    return { id: "", tookMs: 0, processes: 0, faults: [fault] };
  }
}

async function runToEnd(calls: JobWorkerClient, runaway: Runaway, leader: Leader): Promise<Ended> {
  const end = leader === "leaves" ? "read -r go; exit 3" : runaway.stays ?? "exec sleep 1000";
  const args = ["-c", `${runaway.script}\n${end}`];
  const outages = new Outages(NOTES, WAIT_MS);
  const { id } = await registerJob(calls, { command: "sh", args, env: ENV, input: true }, outages);
  let last: JobStatus | undefined;
  const output = new GrowingText();
  const followStarted = async () => {
    for await (last of followStatus(() => calls.Start({ id }), outages));
  };
  const readOutput = async () => {
    const decoder = new TextDecoder();
    await followOutput(calls, { request: { id, follow: true }, outages }, ({ data }) => {
      output.append(decoder.decode(data, { stream: true }));
      return Promise.resolve();
    });
    output.end();
  };
  const ended = Promise.all([followStarted(), readOutput()]);
  // The error is thrown below, but perhaps not at once.
  ended.catch(() => {});
  const whenEnded = (waited: Promise<unknown>) => Promise.race([waited, ended.then(() => waited)]);
  const lines = () => output.text.split("\n").slice(0, -1);
  await whenEnded(
    output.when(() => lines().length >= runaway.lines, `${runaway.lines} lines of "${runaway.name}"`, WAIT_MS),
  );
  const pids = lines().map(Number);
  const faults: string[] = [];
  if (!runaway.isShortLived) faults.push(...await livingFaults(pids, runaway, last?.pid));
  const begin = performance.now();
  if (leader === "stays") await retryUntilAnswered(() => calls.Stop({ id, grace_ms: GRACE_MS }), outages);
  else await sendInput(calls, NO_INPUT, { id, offset: 0, endsInput: true, outages });
  await deadline(ended, `the end of "${runaway.name}", which ${leader}`, WAIT_MS);
  const tookMs = performance.now() - begin;
  for (const pid of pids) if (hasThread(pid)) faults.push(`process ${pid} lives`);
  faults.push(...statusFaults(last!, leader));
  const how = `job ${id} that ${runaway.name}, whose leader ${leader}: `;
  return { id, tookMs, processes: pids.length, faults: faults.map((fault) => how + fault) };
}

/** Checks that the processes live, and are where the leader is not. */
async function livingFaults(pids: readonly number[], runaway: Runaway, leaderPid?: number): Promise<string[]> {
  const faults: string[] = [];
  for (const pid of pids) {
    const hasLost = () => readEntry(pid)?.thread !== undefined;
    if (runaway.isHeadless) await eventually(hasLost, `the end of the first thread of ${pid}`, WAIT_MS);
    const entry = readEntry(pid);
    if (entry === undefined || entry.zombie) faults.push(`process ${pid} did not live before`);
    else if (runaway.own === "session" && entry.session === leaderPid) faults.push(`${pid} is in the leader's session`);
    else if (runaway.own !== undefined && entry.pgrp === leaderPid) faults.push(`${pid} is in the leader's group`);
  }
  return faults;
}

/** Checks the final status. */
function statusFaults(status: JobStatus, leader: Leader): string[] {
  const { state, reason, exit_code: exitCode, others_left: left, usage } = status;
  const isRight = leader === "leaves"
    ? state === "STATE_EXITED" && reason === "REASON_EXITED" && exitCode === 3
    : state === "STATE_KILLED" && reason === "REASON_STOPPED";
  const faults: string[] = [];
  if (!isRight) faults.push(`it ended ${state}, ${reason}, ${exitCode}`);
  if (left !== 0) faults.push(`its status says that ${left} processes are left`);
  if (usage?.cpu_source !== "USAGE_SOURCE_CGROUP") faults.push(`its figures are from ${usage?.cpu_source}`);
  return faults;
}

/** Runs the jobs, a number of them at a time. */
async function runJobs(calls: JobWorkerClient, jobs: typeof JOBS, atOnce: number): Promise<Ended[]> {
  const waiting = [...jobs];
  const ended: Ended[] = [];
  const runNext = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      ended.push(await runJob(calls, job.runaway, job.leader));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runNext));
  return ended;
}

function connectAsAdmin(): RpcClient {
  const read = (name: string) => Deno.readTextFileSync(`${CERTS}/${name}`);
  const credentials = { ca: read("ca.crt"), cert: read("admin.crt"), key: read("admin.key") };
  return connect({ address: "127.0.0.1:50051", credentials, connectTimeoutMs: WAIT_MS });
}

const rounds = Number(Deno.args[0]);
const service = await findService();
await using client = connectAsAdmin();
const cgroups = cgroupsBelow(service.cgroup);
const beginMs = performance.now();
const all: Ended[] = [];
let faults = 0;
for (let round = 1; round <= rounds; round++) {
  const roundMs = performance.now();
  const ended: Ended[] = [];
  for (const { jobs, atOnce } of GROUPS) ended.push(...await runJobs(client.calls, jobs, atOnce));
  const left = await leftFaults(service, cgroups, new Set(ended.map(({ id }) => id)));
  const found = [...ended.flatMap((job) => job.faults), ...left];
  for (const fault of found.slice(0, MAX_PRINTED)) console.log(`FAULT in round ${round}: ${fault}`);
  faults += found.length;
  all.push(...ended);
  console.log(
    `round ${round}: ${ended.length} jobs, ${found.length} faults, ${
      ((performance.now() - roundMs) / 1000).toFixed(1)
    } s`,
  );
}
const slowest = Math.max(...all.map(({ tookMs }) => tookMs)) / 1000;
const processes = all.reduce((sum, job) => sum + job.processes, 0);
console.log(
  `${rounds} rounds, ${all.length} jobs, ${processes} processes that printed their pid, ${faults} faults, ` +
    `${retries} lost connections, slowest end ${slowest.toFixed(1)} s, ${
      ((performance.now() - beginMs) / 60_000).toFixed(1)
    } minutes`,
);
if (faults > 0) Deno.exitCode = 1;
