// deno-lint-ignore-file no-console -- a program for developers, which prints how the run went
/**
 * `deno task coverage`: runs the tests that call our code in their own process, and prints how much of it they reach. Tests
 * of whole programs are left out: each of their processes would write a file for every module.
 */
import { taskOptions } from "../support/task_options.ts";
import { foldersInProcess } from "./plan.ts";

const HELP = `Usage: deno task coverage

Runs the tests that need no other process, and prints the share of lines and branches that they cover.`;

const ROOT = new URL("../../", import.meta.url);
const DATA = "coverage/data";
/** Files whose coverage says nothing: tests, benchmarks, and types that a program wrote. */
const EXCLUDED = ["/tests/", "/bench/", "/proto/teleport/", "/docs/", "\\.md"];

async function deno(...args: string[]): Promise<number> {
  return (await new Deno.Command(Deno.execPath(), { args, cwd: ROOT, stdin: "null" }).spawn().status).code;
}

async function main(): Promise<number> {
  taskOptions(Deno.args, HELP, { options: {} });
  await Deno.remove(new URL("coverage", ROOT), { recursive: true }).catch(() => {});
  const folders = await foldersInProcess(ROOT);
  const code = await deno("run", "-q", "-A", "tests/runner/main.ts", "--coverage", DATA, ...folders);
  if (code !== 0) console.log("Some tests failed: the figures below are too low");
  const excluded = EXCLUDED.map((pattern) => `--exclude=${pattern}`);
  return await deno("coverage", "--quiet", ...excluded, DATA) || code;
}

if (import.meta.main) Deno.exit(await main());
