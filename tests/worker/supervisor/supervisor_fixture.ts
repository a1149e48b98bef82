/** Helpers for the tests of the supervisor with real jobs. */
import type { JobOptions, JobStatus, OutputChunk, OutputEnd, Supervisor } from "../../../mod.ts";
import { deadline, eventually } from "../../support/deadline.ts";

/** The arguments of a shell that ends at once at SIGTERM. */
export const PATIENT = ["-c", "trap 'exit 3' TERM; echo up; while :; do sleep 0.01; done"];

/** Starts a shell and waits for its first output. */
export async function startUp(
  supervisor: Supervisor,
  args: readonly string[] = PATIENT,
  options: JobOptions = {},
): Promise<string> {
  const id = await supervisor.add("sh", args, options);
  await supervisor.start(id);
  await using output = supervisor.watchOutput(id);
  await deadline(output.next(), "the first output of a job");
  return id;
}

/** Returns all items of a watch. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  return await deadline(Array.fromAsync(items), "the end of a watch");
}

/** Returns all states that a watch gives. */
export async function states(statuses: AsyncIterable<JobStatus>): Promise<string[]> {
  return (await all(statuses)).map(({ state }) => state);
}

/** Returns the text and the summary of an output. */
export async function read(output: AsyncIterator<OutputChunk, OutputEnd>): Promise<{ text: string; end: OutputEnd }> {
  let text = "";
  while (true) {
    const { done, value } = await deadline(output.next(), "output");
    if (done) return { text, end: value };
    text += new TextDecoder().decode(value.data);
  }
}

/** Returns the number of open descriptors of this process. */
export function descriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

/**
 * Waits until this process has at most this number of descriptors. Deno holds a second one of a file during a write or a
 * sync.
 */
export async function descriptorsBackTo(most: number): Promise<void> {
  await eventually(() => descriptors() <= most, () => `at most ${most} descriptors, not ${descriptors()}`);
}
