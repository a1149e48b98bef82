/** The time of calls, and the memory of a server, for the tables of growth. */
import { errorMessage } from "../../base/error_message.ts";
import { rssBytes } from "../process_facts.ts";
import type { Teleportd } from "../stage.ts";
import { mb, median } from "../statistics.ts";

/** Returns the milliseconds of one call. */
export async function timeOf(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await call();
  return performance.now() - start;
}

/** Returns the median of the milliseconds of calls, one after another. The first one warms up. */
export async function medianMs(count: number, call: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n <= count; n++) times.push(await timeOf(call));
  return median(times.slice(1));
}

/** Returns the memory of a server and its job host now, in megabytes. */
export async function residentMb(teleportd: Teleportd): Promise<number> {
  return mb((await teleportd.pids()).reduce((sum, pid) => sum + rssBytes(pid), 0));
}

/** Returns the message with which something fails. */
export async function errorOf(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
    return "no error";
  } catch (error) {
    return `"${errorMessage(error)}"`;
  }
}
