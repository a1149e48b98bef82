/** Measures the growth with jobs, watchers, output and connections, and writes the tables. */
import { circumstances } from "../report.ts";
import type { Stage } from "../stage.ts";
import { measureConnections } from "./connections.ts";
import { type Growth, growthMarkdown } from "./growth.ts";
import { measureJobs } from "./jobs.ts";
import { measureOutput } from "./output.ts";
import { measureWatchers } from "./watchers.ts";

/** The measurements by name. */
export const GROWTHS: Readonly<Record<string, (stage: Stage) => Promise<Growth>>> = {
  growth_watchers: measureWatchers,
  growth_connections: measureConnections,
  growth_output: measureOutput,
  growth_jobs: measureJobs,
};

const INTRODUCTION = `# Growth

Written by \`deno task bench --only growth\`. The exponent is the slope of a line through the logarithms of sizes and
values: 0 is constant, 1 is linear. The exponent of the last step shows what follows, where a constant part is small.`;

/** Measures the growths with these names, and returns the tables as Markdown. */
export async function measureGrowth(
  stage: Stage,
  names: readonly string[],
  print: (text: string) => void,
): Promise<string> {
  const tables: string[] = [];
  const start = performance.now();
  for (const name of names) {
    const from = performance.now();
    const table = growthMarkdown(await GROWTHS[name]!(stage));
    print(`${table}\n\n${name} took ${((performance.now() - from) / 1_000).toFixed(0)} s\n`);
    tables.push(table);
  }
  const minutes = `it took ${((performance.now() - start) / 60_000).toFixed(1)} minutes`;
  const about = [...await circumstances(stage.quick), minutes].map((line) => `- ${line}`).join("\n");
  return `${[INTRODUCTION, about, ...tables].join("\n\n")}\n`;
}
