/** The command line that starts this program again, for a job host. */
import { resolve } from "node:path";

/** Options of Deno that would restart or stop a job host, or that two processes cannot share. */
const NOT_REPEATED = /^--(watch|watch-hmr|inspect|inspect-brk|inspect-wait|coverage)(=|$)/;

/** Options of Deno whose value names a file. */
const FILE_OPTIONS: ReadonlySet<string> = new Set([
  "-c",
  "--cert",
  "--config",
  "--env-file",
  "--import",
  "--import-map",
  "--lock",
  "--preload",
  "--require",
]);

/**
 * Returns the command line of this process without its last arguments: proc_pid_cmdline(5). A compiled program has only
 * its path. Deno also has its own options and the script.
 *
 * Call it at the start of the process. After an upgrade, the path of the running program names a deleted file.
 *
 * @param argumentCount the number of arguments that belong to the script
 */
export function programCommand(argumentCount: number): string[] {
  const [name = "", ...words] = Deno.readTextFileSync("/proc/self/cmdline").split("\0").slice(0, -1);
  const own = words.slice(0, words.length - argumentCount);
  // `deno run server.ts -- --listen …`: the next program has no use for the dashes.
  if (own.at(-1) === "--") own.pop();
  return [programPath(name), ...withAbsolutePaths(own).filter((word) => !NOT_REPEATED.test(word))];
}

/**
 * Returns words of a command line with absolute paths: of the script, which is the last word, and in options. A node of a
 * cluster may not have this directory.
 *
 * @param words the words after the name of the program
 */
export function withAbsolutePaths(words: readonly string[]): string[] {
  return words.map((word, index) => {
    const [, name, value] = /^(--[a-z-]+)=(.+)$/.exec(word) ?? [];
    if (name !== undefined && value !== undefined) return FILE_OPTIONS.has(name) ? `${name}=${pathOf(value)}` : word;
    return index === words.length - 1 || FILE_OPTIONS.has(words[index - 1] ?? "") ? pathOf(word) : word;
  });
}

/** Returns the absolute path of a file. Returns another word, such as a URL, as it is. */
function pathOf(word: string): string {
  return isFile(word) ? resolve(word) : word;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Returns the path by which this program was started. A link in it may lead to a newer version later. */
function programPath(name: string): string {
  const path = Deno.execPath();
  const given = resolve(name);
  try {
    return name.includes("/") && Deno.realPathSync(given) === Deno.realPathSync(path) ? given : path;
  } catch {
    return path;
  }
}
