/** Jobs that are shell scripts. */
import type { JobWorkerClient } from "../../../proto/service.ts";
import { first } from "../../support/service.ts";

/** Registers a shell script. */
export async function register(calls: JobWorkerClient, script: string): Promise<string> {
  return (await calls.Register({ command: "sh", args: ["-c", script] })).id;
}

/** Starts a job and waits for its first output. Its traps are set then. */
export async function startUp(calls: JobWorkerClient, id: string): Promise<void> {
  await first(calls.Start({ id }));
  await first(calls.GetOutput({ id }));
}
