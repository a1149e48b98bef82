/** Waits for the end of a job. */
import type { JobStatus, Supervisor } from "../../mod.ts";
import { deadline } from "./deadline.ts";

/** Resolves with the final status of a job. Fails at the default deadline of a test. */
export async function finalStatus(supervisor: Supervisor, id: string): Promise<JobStatus> {
  const statuses = supervisor.watchStatus(id);
  try {
    return await deadline(lastOf(statuses), `the end of job "${id}"`);
  } finally {
    await statuses.return();
  }
}

async function lastOf<Item>(items: AsyncIterable<Item>): Promise<Item> {
  let last: Item | undefined;
  for await (const item of items) last = item;
  if (last === undefined) throw new Error("The watch gave no status");
  return last;
}
