/** Helpers for tests of a server as a process: clients, jobs, and facts from /proc. */
import assert from "node:assert/strict";
import type { JobWorkerClient } from "../../proto/service.ts";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { CallError, connect, type RpcClient } from "../../rpc/client/client.ts";
import { findInstances } from "../../teleportd/host/instance_directory.ts";
import { eventually } from "./deadline.ts";
import type { Server } from "./programs.ts";

/** Connects a client with a certificate from the server's directory. */
export async function clientOf(server: Server, identity = "admin", address = server.address): Promise<RpcClient> {
  const read = (name: string) => Deno.readTextFile(`${server.dir}/certs/${name}`);
  const [ca, cert, key] = await Promise.all([read("ca.crt"), read(`${identity}.crt`), read(`${identity}.key`)]);
  return connect({ address, credentials: { ca, cert, key } });
}

/** Gives the error of a call that must be refused. */
export async function refusal(call: Promise<unknown>): Promise<CallError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof CallError);
    return error;
  }
  throw new Error("The call was not refused");
}

/** Starts a job and gives its final status. */
export async function finalOf(calls: JobWorkerClient, id: string): Promise<JobStatus> {
  let last: JobStatus | undefined;
  for await (const status of calls.Start({ id })) last = status;
  assert.ok(last);
  return last;
}

/** Starts a shell script and waits for its first output. */
export async function startUp(calls: JobWorkerClient, script: string): Promise<string> {
  const { id } = await calls.Register({ command: "sh", args: ["-c", script] });
  for await (const { state } of calls.Start({ id })) if (state === "STATE_RUNNING") break;
  for await (const _ of calls.GetOutput({ id })) break;
  return id;
}

/** Lists the living processes of a job, found by the mark in their environment. */
export function living(id: string): string[] {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => {
    try {
      return Deno.readTextFileSync(`/proc/${name}/environ`).includes(`TELEPORT_ID=${id}`);
    } catch {
      return false;
    }
  }).map(({ name }) => name);
}

/** Waits until a job has at least this number of processes. During exec, a process has no environment for a moment. */
export async function livingAtLeast(id: string, least: number): Promise<void> {
  await eventually(
    () => living(id).length >= least,
    () => `at least ${least} processes, not ${living(id).length}`,
  );
}

/** Lists the processes of the job hosts of a server. Without job hosts, its own process runs the jobs. */
export async function jobProcessesOf(server: Server): Promise<number[]> {
  const hosts = (await findInstances(`${server.dir}/data`)).filter(({ isAlive }) => isAlive);
  const pids = hosts.flatMap(({ info }) => info === undefined ? [] : [info.pid]);
  return pids.length === 0 ? [server.process.pid] : pids;
}

/** Lists the children of the processes that run jobs, with zombies. Zombies have no environment but still have a parent. */
export async function jobChildrenOf(server: Server): Promise<string[]> {
  const parents = (await jobProcessesOf(server)).map(String);
  return [...Deno.readDirSync("/proc")].filter(({ name }) => {
    try {
      // proc_pid_stat(5): the name in parentheses may contain anything, so fields are counted from its end.
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      return parents.includes(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? "");
    } catch {
      return false;
    }
  }).map(({ name }) => name);
}

/** Counts the open files and sockets of the server, or of another process. */
export function descriptorsOf({ process: { pid } }: { readonly process: { readonly pid: number } }): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** Gives the memory of the server in MiB: `VmRSS` is the current size, `VmHWM` the largest so far. */
export function memoryMiB(server: Server, line: "VmRSS" | "VmHWM"): number {
  const status = Deno.readTextFileSync(`/proc/${server.process.pid}/status`);
  return Number(new RegExp(`^${line}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) / 1_024;
}

/** Waits until a process has at most this number of descriptors. It sees a closed connection only after a moment. */
export async function descriptorsBackTo(server: Parameters<typeof descriptorsOf>[0], most: number): Promise<void> {
  await eventually(
    () => descriptorsOf(server) <= most,
    () => `at most ${most} descriptors, not ${descriptorsOf(server)}`,
  );
}
