// deno-lint-ignore-file no-console -- a program for developers
/** `deno task soak`: ten minutes of mixed load on a server of its own; exits with 1 when something was not flat. */
import { refuseOptions, taskOptions } from "../support/task_options.ts";
import { judge, soak } from "./soak.ts";

const HELP = `Usage: deno task soak [OPTIONS]

  --minutes NUMBER  how long the load lasts, at most 1440 (default: 10)
  --help            print this`;

const { values } = taskOptions(Deno.args, HELP, { options: { minutes: { type: "string", default: "10" } } });
const minutes = Number(values.minutes);
if (!(minutes > 0 && minutes <= 1_440)) {
  refuseOptions(`'--minutes' must be a number from 0 to 1440, got '${values.minutes}'`, HELP);
}
const result = await soak(minutes * 60_000);
console.log(`load average ${Deno.loadavg().map((load) => load.toFixed(1)).join(" ")}`);
console.log("part  memory MiB  descriptors  Status p50 ms  p99 ms");
for (const [index, { memoryBytes, descriptors, latencyMedianMs, latencyP99Ms }] of result.windows.entries()) {
  const cells = [Math.round(memoryBytes / 1_048_576), descriptors, latencyMedianMs.toFixed(1), latencyP99Ms.toFixed(1)];
  console.log(`${index + 1}     ${cells.map((cell) => String(cell).padEnd(12)).join(" ")}`);
}
const { before, after } = result;
console.log(`before: ${Math.round(before.memoryBytes / 1_048_576)} MiB, ${before.descriptors} descriptors`);
console.log(`after:  ${Math.round(after.memoryBytes / 1_048_576)} MiB, ${after.descriptors} descriptors`);
console.log(`rounds: ${Object.entries(result.rounds).map(([name, count]) => `${name} ${count}`).join(", ")}`);
const found = judge(result);
for (const sentence of found) console.log(`NOT FLAT: ${sentence}`);
Deno.exit(found.length === 0 ? 0 : 1);
