// deno-lint-ignore-file no-console -- a program of a test, which reads its output
/** Watches a job that nobody else refers to, collects garbage, and then starts the job. Needs `--expose-gc`. */
import { Supervisor } from "../../../mod.ts";

async function countOf(items: AsyncIterable<unknown>): Promise<number> {
  return (await Array.fromAsync(items)).length;
}

await using supervisor = new Supervisor();
const id = await supervisor.add("echo", ["hello"]);
const counts = [countOf(supervisor.watchOutput(id)), countOf(supervisor.watchStatus(id))];
for (let round = 0; round < 3; round++) {
  // In a new turn, so that no variable of this one keeps anything.
  await new Promise((resolve) => setTimeout(resolve));
  (globalThis as unknown as { readonly gc: () => void }).gc();
}
await supervisor.start(id);
console.log((await Promise.all(counts)).join(" "));
