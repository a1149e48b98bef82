/** The plan of a test run: which file is fast, slow or measures, and which files run in one process. */

/** The kind of a test file: fast ones are for the daily loop, and those that measure need the machine for themselves. */
export type Kind = "fast" | "slow" | "measures";

/** A test file. */
export interface TestFile {
  /** The path from the root of the repository, such as `tests/cli/list_test.ts`. */
  readonly path: string;
  readonly kind: Kind;
}

/** The test files of one process. */
export interface Chunk {
  /** The name for people, such as `tests/cli/follow (4 files)`. */
  readonly name: string;
  readonly files: readonly string[];
  /** True where no other process of the run may work at the same time. */
  readonly alone: boolean;
}

/** The folders below `tests/` whose files are all of one kind. Files elsewhere are fast. */
const FOLDERS: Readonly<Record<string, Kind>> = {
  bench: "measures",
  e2e: "slow",
  gates: "slow",
  interop: "slow",
  kills: "slow",
  slurm: "slow",
  soak: "measures",
  torture: "measures",
};

/** The most files of one process: a failure then names a small group, and the processes end at about the same time. */
const MOST_FILES: Readonly<Record<Kind, number>> = { fast: 12, slow: 3, measures: 1 };

/**
 * Gives the kind of a test file. A first comment with a sentence that begins with `Slow:` or `Measures:` decides, and
 * then the folder.
 *
 * @param path the path from the root of the repository
 * @param source the text of the file
 */
export function kindOf(path: string, source: string): Kind {
  const comment = /^\s*(\/\*\*[\s\S]*?\*\/|(\/\/.*\n)+)/.exec(source)?.[0] ?? "";
  if (/\bMeasures: /.test(comment)) return "measures";
  if (/\bSlow: /.test(comment)) return "slow";
  return FOLDERS[path.split("/")[1] ?? ""] ?? "fast";
}

/** Groups files by folder into the chunks of a run: slow files first, because the longest work should not begin last. */
export function chunksOf(files: readonly TestFile[]): Chunk[] {
  const chunks: Chunk[] = [];
  for (const kind of ["slow", "fast", "measures"] as const) {
    const folders = Map.groupBy(files.filter((file) => file.kind === kind), ({ path }) => folderOf(path));
    for (const [folder, members] of folders) {
      const paths = members.map(({ path }) => path).sort();
      const count = Math.ceil(paths.length / MOST_FILES[kind]);
      for (let index = 0; index < count; index++) {
        const part = paths.slice(
          Math.floor(index * paths.length / count),
          Math.floor((index + 1) * paths.length / count),
        );
        chunks.push({ name: nameOf(folder, part), files: part, alone: kind === "measures" });
      }
    }
  }
  return chunks;
}

/** Gives the folder by which files are grouped, such as `tests/cli`: one level below `tests/`. */
function folderOf(path: string): string {
  return path.split("/").slice(0, -1).slice(0, 2).join("/");
}

function nameOf(folder: string, files: readonly string[]): string {
  const names = files.map((path) => path.slice(path.lastIndexOf("/") + 1).replace(/_test\.ts$/, ""));
  return names.length > 3
    ? `${folder}: ${names[0]} to ${names.at(-1)} (${names.length} files)`
    : `${folder}: ${names.join(", ")}`;
}

/** Lists the folders whose tests call our code in their own process, such as `tests/cli`. */
export async function foldersInProcess(root: URL): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(new URL("tests/", root)));
  const names = entries.filter(({ isDirectory, name }) => isDirectory && !Object.hasOwn(FOLDERS, name));
  return names.map(({ name }) => `tests/${name}`).sort();
}

/** Finds the test files of the repository, in order. */
export async function findTests(root: URL): Promise<TestFile[]> {
  const found: TestFile[] = [];
  const visit = async (folder: string) => {
    for (const { name, isDirectory } of await Array.fromAsync(Deno.readDir(new URL(folder, root)))) {
      if (isDirectory) await visit(`${folder}${name}/`);
      else if (name.endsWith("_test.ts")) {
        const path = folder + name;
        found.push({ path, kind: kindOf(path, await Deno.readTextFile(new URL(path, root))) });
      }
    }
  };
  await visit("tests/");
  return found.sort((a, b) => a.path < b.path ? -1 : 1);
}
