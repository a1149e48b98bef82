// deno-lint-ignore-file no-console -- a program for developers, which prints how the tests went
/**
 * `deno task test`: runs the tests in several processes at a time, and prints what failed, what was skipped and why, and
 * a summary. `deno task test:fast` leaves out what takes long.
 *
 * A process per group of files keeps apart what belongs to a process: limits, signals, the sum over its children.
 */
import { type Chunk, chunksOf, findTests, type TestFile } from "./plan.ts";
import { type Counts, readReport, skipLines, sum } from "./output.ts";
import { killRunning, type Result, runDenoTest } from "./process.ts";
import { refuseOptions, taskOptions } from "../support/task_options.ts";

const ROOT = new URL("../../", import.meta.url);

/** The folders without examples of ours. */
const WITHOUT_EXAMPLES = ["tests", "bench", "dist", "coverage", "node_modules"];

const HELP = `Usage: deno task test [OPTIONS] [PATH...]

Runs the tests of the repository, or those below the paths, and the examples in the documentation.

  --fast           leave out tests that take long, tests that measure, and the examples
  --jobs N         processes at a time; default: one for each processor
  --filter TEXT    only the tests whose name has this text
  --coverage DIR   write coverage data for \`deno coverage\` to a directory
  --verbose        print the whole output, not only that of failed processes
  --help           print this`;

/** The sums of a run. */
class Totals {
  readonly counts: Counts[] = [];
  readonly skipped: string[] = [];
  readonly failures: string[] = [];
  readonly broken: string[] = [];
}

/** Runs the tests that the arguments ask for, and returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = taskOptions(args.filter((arg) => arg !== "--"), HELP, {
    allowPositionals: true,
    options: {
      fast: { type: "boolean", default: false },
      jobs: { type: "string", default: `${navigator.hardwareConcurrency}` },
      filter: { type: "string" },
      coverage: { type: "string" },
      verbose: { type: "boolean", default: false },
    },
  });
  if (!/^[1-9]\d*$/.test(values.jobs)) refuseOptions(`'--jobs' must be a number from 1, got '${values.jobs}'`, HELP);
  const begin = performance.now();
  const paths = positionals.map((path) => path.replace(/^\.\//, "").replace(/\/$/, ""));
  const tests = (await findTests(ROOT)).filter((file) => isWanted(file, paths, values.fast));
  if (tests.length === 0) {
    console.log("FAILED: no test file was found");
    return 1;
  }
  const directory = await Deno.makeTempDir({ prefix: "tests_" });
  await Deno.chmod(directory, 0o755);
  const stop = () => {
    killRunning();
    Deno.removeSync(directory, { recursive: true });
    Deno.exit(130);
  };
  Deno.addSignalListener("SIGINT", stop);
  Deno.addSignalListener("SIGTERM", stop);
  const totals = new Totals();
  let number = 0;
  const options = [
    ...(values.filter === undefined ? [] : ["--filter", values.filter]),
    ...(values.coverage === undefined ? [] : [`--coverage=${values.coverage}`, "--coverage-raw-data-only"]),
    "--permit-no-files",
  ];
  const run = async (name: string, own: readonly string[]) => {
    number += 1;
    const result = await runDenoTest([...options, ...own], `${directory}/${number}`);
    tell(name, result, totals, values.verbose);
  };
  const runChunk = (chunk: Chunk) => run(chunk.name, ["--no-check", ...chunk.files]);
  const chunks = chunksOf(tests);
  const together = chunks.filter(({ alone }) => !alone).map((chunk) => () => runChunk(chunk));
  if (!values.fast && paths.length === 0) {
    const examples = ["--doc", `--ignore=${WITHOUT_EXAMPLES.join(",")}`];
    together.unshift(() => run("examples in the documentation", examples));
  }
  try {
    const types = await new Deno.Command(Deno.execPath(), { args: ["check", "--quiet"], cwd: ROOT }).output();
    if (!types.success) {
      console.log(`${new TextDecoder().decode(types.stderr)}\nFAILED: the type checker found an error`);
      return 1;
    }
    await inParallel(together, Math.max(1, Number(values.jobs)));
    for (const chunk of chunks.filter(({ alone }) => alone)) await runChunk(chunk);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  return summarize(totals, (performance.now() - begin) / 1_000);
}

function isWanted({ path, kind }: TestFile, paths: readonly string[], fast: boolean): boolean {
  if (fast && kind !== "fast") return false;
  return paths.length === 0 || paths.some((wanted) => path === wanted || path.startsWith(`${wanted}/`));
}

/** Runs tasks in their order, a number of them at a time. */
async function inParallel(tasks: readonly (() => Promise<void>)[], atOnce: number): Promise<void> {
  const queue = tasks.values();
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (const task of queue) await task();
  }));
}

/** Prints how a process ended, and adds it to the totals. */
function tell(name: string, result: Result, totals: Totals, verbose: boolean): void {
  const { counts, skipped, failures } = readReport(result.output);
  if (counts !== undefined) totals.counts.push(counts);
  totals.skipped.push(...skipped);
  totals.failures.push(...failures);
  const problems = [
    ...(result.litter.length === 0 ? [] : [`left in the temporary directory: ${result.litter.join(", ")}`]),
    // A process can fail without a failed test: a type error, a crash, the watchdog.
    ...(result.code !== 0 && !counts?.failed ? [`exit code ${result.code} without a failed test`] : []),
  ];
  for (const problem of problems) totals.broken.push(`${name}: ${problem}`);
  const isGood = result.code === 0 && problems.length === 0;
  if (!isGood || verbose) console.log(result.output.trimEnd());
  const how = [`${counts?.passed ?? 0} passed`, `${result.seconds.toFixed(1)} s`, ...problems].join(", ");
  console.log(`${isGood ? "ok    " : "FAILED"} ${name}: ${how}`);
}

/** Prints the end of the report, and returns the exit code. */
function summarize(totals: Totals, seconds: number): number {
  const { passed, failed, ignored } = sum(totals.counts);
  if (totals.skipped.length > 0) console.log(["Skipped:", ...skipLines(totals.skipped)].join("\n"));
  for (const line of [...totals.failures, ...totals.broken]) console.log(`FAILED ${line}`);
  const isGood = failed === 0 && totals.broken.length === 0;
  const time = `${Math.floor(seconds / 60)}m${Math.round(seconds % 60)}s`;
  const all = failed + totals.broken.length;
  console.log(`${isGood ? "ok" : "FAILED"} | ${passed} passed | ${all} failed | ${ignored} ignored (${time})`);
  return isGood ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
