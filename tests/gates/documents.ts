/** Finds links and paths in the documents that lead nowhere: files, folders, headings and tests that do not exist. */

/** A file of the repository by its path, with its text when it is Markdown. */
export type Tree = ReadonlyMap<string, string>;

/** Returns one sentence for each link or path of a document that leads nowhere. */
export function deadReferences(path: string, text: string, tree: Tree): string[] {
  const found: string[] = [];
  const prose = text.replace(/^(```+)[\s\S]*?^\1/gm, (block) => "\n".repeat(block.split("\n").length - 1));
  const add = (at: number, what: string) => found.push(`${path}:${prose.slice(0, at).split("\n").length}: ${what}`);
  for (const match of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
    const [target = "", anchor] = (match[1] ?? "").split("#", 2);
    if (/^[a-z]+:/.test(target)) continue;
    const file = target === "" ? path : resolve(path, target);
    if (!exists(file, tree)) add(match.index, `the link "${match[1]}" leads to no file`);
    else if (anchor !== undefined && !anchorsOf(tree.get(file) ?? "").has(anchor)) {
      add(match.index, `the link "${match[1]}" leads to no heading`);
    }
  }
  for (const match of prose.matchAll(/`([\w./-]+)`/g)) {
    const name = match[1] ?? "";
    if (/^\w+_test\.ts$/.test(name)) {
      if (![...tree.keys()].some((file) => file.endsWith(`/${name}`))) add(match.index, `no test is called "${name}"`);
    } else if (isPath(name, tree) && !exists(name, tree)) add(match.index, `there is no "${name}"`);
  }
  prose.split("\n").forEach((line, index) => {
    for (const file of filesOfRow(line, tree)) {
      if (!exists(file, tree)) found.push(`${path}:${index + 1}: there is no "${file}"`);
    }
  });
  return found;
}

/** Returns the files in a row of a table whose first cell is a folder. They are relative to it, or to the root. */
function filesOfRow(line: string, tree: Tree): string[] {
  const folder = /^\| `([\w/]+\/)` +\|/.exec(line)?.[1];
  if (folder === undefined || !exists(folder, tree)) return [];
  const names = [...line.matchAll(/`([\w/]+\.ts)`/g)].map(([, name = ""]) => name);
  return names.map((name) => exists(name, tree) ? name : folder + name);
}

/** Returns whether a name means a file or folder of the repository: it starts with one of its folders. */
function isPath(name: string, tree: Tree): boolean {
  if (!name.includes("/") || /NAME/.test(name)) return false;
  const [folder = ""] = name.split("/", 1);
  const isLocal = folder === "" ? false : exists(folder, tree);
  return isLocal && folder !== "dist";
}

function exists(path: string, tree: Tree): boolean {
  const name = path.replace(/\/+$/, "");
  return tree.has(name) || [...tree.keys()].some((file) => file.startsWith(`${name}/`));
}

/** Returns the path that a link of a document means. */
function resolve(path: string, target: string): string {
  return new URL(target, `file:///${path}`).pathname.slice(1);
}

/** Returns the anchors of the headings, as GitHub makes them. */
function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => heading);
  return new Set(
    headings.map((heading) => heading.toLowerCase().replace(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-")),
  );
}
