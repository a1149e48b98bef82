/**
 * Runs in the machine, as root. It starts all runaway programs at the same time as jobs of the service, ends them, and
 * looks for what is left. `runaway_rounds.ts COUNT` does so COUNT times in this one process, because a program of Deno takes
 * seconds to start on an emulated processor. It calls the service as the command line does, over mutual TLS.
 */
import type { JobWorkerClient } from "../../../proto/service.ts";
import type { JobStatus } from "../../../proto/teleport/v1/job_worker.ts";
import { connect, type RpcClient } from "../../../rpc/client/client.ts";
import { readEntry } from "../../../worker/linux/procfs.ts";
import { deadline, eventually } from "../../support/deadline.ts";
import { GrowingText } from "../../support/growing_text.ts";
import { hasThread, markedProcesses } from "../../support/job_processes.ts";
import { NEXT, type Runaway, RUNAWAYS } from "../../support/runaways.ts";

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

/** The service, as systemd shows it. */
interface Service {
  readonly mainPid: number;
  /** The user of the server and of all jobs. */
  readonly uid: number;
  readonly cgroup: string;
}

const JOBS = RUNAWAYS.flatMap((runaway) =>
  (["stays", "leaves"] as const).filter((leader) => (runaway.only ?? leader) === leader).map((leader) => ({
    runaway,
    leader,
  }))
);

/** Programs that fork forever run apart, because they would take the processor time that the others need. */
const GROUPS = [false, true].map((isShortLived) =>
  JOBS.filter(({ runaway }) => (runaway.isShortLived ?? false) === isShortLived)
);

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
  const { id } = await calls.Register({ command: "sh", args, env: ENV, input: true });
  let last: JobStatus | undefined;
  const started = (async () => {
    for await (last of calls.Start({ id }));
  })();
  const output = new GrowingText();
  const read = (async () => {
    for await (const { data } of calls.GetOutput({ id, follow: true })) output.append(new TextDecoder().decode(data));
    output.end();
  })();
  const lines = () => output.text.split("\n").slice(0, -1);
  await output.when(() => lines().length >= runaway.lines, `${runaway.lines} lines of "${runaway.name}"`, WAIT_MS);
  const pids = lines().map(Number);
  const faults: string[] = [];
  if (!runaway.isShortLived) faults.push(...await livingFaults(pids, runaway, last?.pid));
  const begin = performance.now();
  if (leader === "stays") await calls.Stop({ id, grace_ms: GRACE_MS });
  else {await calls.Input((async function* () {
      yield { id, end: true };
    })());}
  await deadline(started, `the end of "${runaway.name}", which ${leader}`, WAIT_MS);
  const tookMs = performance.now() - begin;
  await read;
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

/** Returns the text of a file in /proc. Empty when its process has ended. */
function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** Returns all processes of the user of the service except the server itself, also zombies. */
function processesOf({ uid, mainPid }: Service): string[] {
  const pids = [...Deno.readDirSync("/proc")].map(({ name }) => name).filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) =>
    Number(pid) !== mainPid && Number(/^Uid:\s+(\d+)/m.exec(textOf(`/proc/${pid}/status`))?.[1]) === uid
  ).map((pid) => `${pid} ${textOf(`/proc/${pid}/stat`).split(" ").slice(1, 3).join(" ")}`);
}

/** Returns the cgroups below one, at every depth. */
function cgroupsBelow(directory: string): string[] {
  const names = [...Deno.readDirSync(directory)].filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  return names.flatMap((name) => [`${directory}/${name}`, ...cgroupsBelow(`${directory}/${name}`)]).sort();
}

/** Looks for what a round has left. */
async function leftFaults(service: Service, cgroups: readonly string[], ids: ReadonlySet<string>): Promise<string[]> {
  const marked = await markedProcesses(ids);
  let left: string[] = [];
  // The kernel gives ended orphans to systemd, which needs a moment to reap them.
  const isEmpty = () => (left = processesOf(service)).length === 0;
  await eventually(isEmpty, "the last process", 10_000).catch(() => {});
  const further = cgroupsBelow(service.cgroup).filter((path) => !cgroups.includes(path));
  return [
    ...marked.map((pid) => `process ${pid} with a job's mark lives`),
    ...left.map((process) => `process ${process} of the service's user is left`),
    ...further.map((path) => `the cgroup ${path} is left`),
  ];
}

async function findService(): Promise<Service> {
  const show = async (property: string) => {
    const args = ["show", "teleportd", "-p", property, "--value"];
    return new TextDecoder().decode((await new Deno.Command("systemctl", { args }).output()).stdout).trim();
  };
  const mainPid = Number(await show("MainPID"));
  const uid = Number(/^Uid:\s+(\d+)/m.exec(textOf(`/proc/${mainPid}/status`))?.[1]);
  return { mainPid, uid, cgroup: `/sys/fs/cgroup${await show("ControlGroup")}` };
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
  for (const group of GROUPS) {
    ended.push(...await Promise.all(group.map(({ runaway, leader }) => runJob(client.calls, runaway, leader))));
  }
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
  `${rounds} rounds, ${all.length} jobs, ${processes} processes that printed their pid, ${faults} faults, slowest end ` +
    `${slowest.toFixed(1)} s, ${((performance.now() - beginMs) / 60_000).toFixed(1)} minutes`,
);
if (faults > 0) Deno.exitCode = 1;
