// deno-lint-ignore-file no-console -- a program for developers, which prints its findings
/**
 * The gate for plain English: `deno task check:prose`. It reads comments, error and help texts, test names, Markdown and
 * the descriptions of tasks, and fails where one breaks a rule of prose_rules.ts.
 * Arguments are the folders and files to check. Default: all.
 */
import { breachesOf } from "./prose_rules.ts";
import { proseOf } from "./prose_text.ts";

const root = new URL("../../", import.meta.url);
/** Folders without prose of ours, and generated files, whose prose is checked where it comes from. */
const SKIPPED =
  /^(\.git|dist|coverage|node_modules|.*\/testdata|proto\/teleport\/v1\/job_worker\.ts|bench\/RESULTS\.md|bench\/GROWTH\.md|docs\/reference|docs\/man)$/;

/** Returns one line for each breach in a file: place, words found, and the plain way to say it. */
export function checkFile(path: string, source: string): string[] {
  const breaches = proseOf(path, source).flatMap((prose) => breachesOf(prose));
  return breaches.map(({ line, found, advice }) => `${path}:${line}: "${found}": ${advice}`);
}

/** Returns whether a path is one of the given files, or lies in one of the given folders. */
export function isIn(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => {
    const name = folder.replace(/^\.\//, "").replace(/\/+$/, "");
    return name === "" || name === "." || path === name || path.startsWith(`${name}/`);
  });
}

async function* filesOf(folder: string): AsyncGenerator<string> {
  const entries = await Array.fromAsync(Deno.readDir(new URL(`./${folder}`, root)));
  for (const { name, isDirectory } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    const path = folder + name;
    if (SKIPPED.test(path)) continue;
    if (isDirectory) yield* filesOf(`${path}/`);
    else yield path;
  }
}

/** Runs the gate and returns its exit code. */
async function main(args: readonly string[]): Promise<number> {
  const folders = args.filter((arg) => !arg.startsWith("-"));
  let count = 0;
  for await (const path of filesOf("")) {
    if (folders.length > 0 && !isIn(path, folders)) continue;
    for (const breach of checkFile(path, await Deno.readTextFile(new URL(path, root)))) {
      console.log(breach);
      count += 1;
    }
  }
  if (count > 0) console.error(`${count} places are not plain English yet`);
  return count > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
