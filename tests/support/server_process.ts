/** What tests of the server as a process have in common: clients of it, jobs on it, and what /proc knows of it. */
import assert from "node:assert/strict";
import type { JobWorkerClient } from "../../proto/service.ts";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { CallError, connect, type RpcClient } from "../../rpc/client/client.ts";
import type { Server } from "./programs.ts";

/** A client with the server's own files, over a connection of its own. */
export async function clientOf(server: Server, identity = "admin", address = server.address): Promise<RpcClient> {
  const read = (name: string) => Deno.readTextFile(`${server.dir}/certs/${name}`);
  const [ca, cert, key] = await Promise.all([read("ca.crt"), read(`${identity}.crt`), read(`${identity}.key`)]);
  return connect({ address, credentials: { ca, cert, key } });
}

/** How a call was refused; fails where it was not. */
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

/** The living processes that a job left, by the mark in their environment. */
export function living(id: string): string[] {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => {
    try {
      return Deno.readTextFileSync(`/proc/${name}/environ`).includes(`TELEPORT_ID=${id}`);
    } catch {
      return false;
    }
  }).map(({ name }) => name);
}

/** Waits until so many of a job live: one that is just becoming another program has no environment for a moment. */
export async function livingAtLeast(id: string, least: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (living(id).length < least) {
    assert.ok(performance.now() < deadline, `${living(id).length} processes, at least ${least} expected`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The server's children, zombies among them: those have no environment any more, but a parent. */
export function childrenOf(server: Server): string[] {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => {
    try {
      // proc_pid_stat(5): the name in parentheses may hold anything, so the rest is counted from its end.
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] === `${server.process.pid}`;
    } catch {
      return false;
    }
  }).map(({ name }) => name);
}

/** How many files and sockets the server has open. */
export function descriptorsOf(server: Server): number {
  return [...Deno.readDirSync(`/proc/${server.process.pid}/fd`)].length;
}

/** A line of the server's /proc/PID/status that is in kB, in MiB: `VmRSS` is what it takes now, `VmHWM` at most. */
export function memoryMiB(server: Server, line: "VmRSS" | "VmHWM"): number {
  const status = Deno.readTextFileSync(`/proc/${server.process.pid}/status`);
  return Number(new RegExp(`^${line}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) / 1_024;
}

/** Waits until the server has no more descriptors open: it sees a cut connection when the kernel tells it, not before. */
export async function descriptorsBackTo(server: Server, most: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (descriptorsOf(server) > most) {
    assert.ok(performance.now() < deadline, `${descriptorsOf(server)} descriptors, at most ${most} expected`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
