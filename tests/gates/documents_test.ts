/** Every link and path in the documents leads somewhere. */
import assert from "node:assert/strict";
import { OPTION_ENTRIES } from "../../base/job_options/entries.ts";
import { deadReferences } from "./documents.ts";

const root = new URL("../../", import.meta.url);

async function* filesOf(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(`./${folder}`, root))) {
    if (/^(\.git|dist|coverage|node_modules)$/.test(name)) continue;
    if (isDirectory) yield* filesOf(`${folder}${name}/`);
    else yield folder + name;
  }
}

const example = new Map([["README.md", "# One\n## Two words, here\n"], ["docs/a.md", ""], ["tests/b/c_test.ts", ""]]);

/** Each line: a text of docs/a.md, and the words of the complaint. Nothing: it is right. */
const texts: [string, string?][] = [
  ["[one](../README.md#two-words-here) `tests/b` `c_test.ts` `other/d.ts` [x](https://example.org/y)"],
  ["[one](README.md)", 'the link "README.md" leads to no file'],
  ["[one](../README.md#three)", 'the link "../README.md#three" leads to no heading'],
  ["\n`tests/b/d.ts`", 'there is no "tests/b/d.ts"'],
  ["`d_test.ts`", 'no test is called "d_test.ts"'],
  ["| `tests/b/` | `c_test.ts` |"],
  ["| `tests/b/` | `d.ts` |", 'there is no "tests/b/d.ts"'],
  ["```sh\ncat `tests/b/d.ts`\n```"],
];

Deno.test("deadReferences() finds links, paths and tests that do not exist", () => {
  for (const [text, complaint] of texts) {
    const found = deadReferences("docs/a.md", text, example);
    assert.equal(found.length, complaint === undefined ? 0 : 1, text);
    if (complaint !== undefined) assert.ok(found[0]?.endsWith(complaint), `${text}: ${found[0]}`);
  }
});

Deno.test("every link and path in the documents leads to a file or heading", async () => {
  const tree = new Map<string, string>();
  for await (const path of filesOf("")) {
    tree.set(path, path.endsWith(".md") ? await Deno.readTextFile(new URL(path, root)) : "");
  }
  const documents = [...tree].filter(([path]) => path.endsWith(".md") && !path.startsWith("bench/"));
  assert.ok(documents.length > 10);
  assert.deepEqual(documents.flatMap(([path, text]) => deadReferences(path, text, tree)), []);
});

Deno.test("every document that a message or comment names exists", async () => {
  const dead: string[] = [];
  for await (const path of filesOf("")) {
    if (!path.endsWith(".ts") || path.startsWith("tests/gates/")) continue;
    for (const [page] of (await Deno.readTextFile(new URL(path, root))).matchAll(/(?<![\w/.-])docs\/[\w/-]+\.md/g)) {
      if (!(await Deno.stat(new URL(page, root)).then(() => true, () => false))) dead.push(`${path}: ${page}`);
    }
  }
  assert.deepEqual(dead, []);
});

Deno.test("docs/policy.md names every job option that a rule must name", async () => {
  const text = await Deno.readTextFile(new URL("docs/policy.md", root));
  const named = OPTION_ENTRIES.filter(([, { policy }]) => policy === "guarded" || policy === "privileged");
  for (const [, { field }] of named) assert.ok(text.includes(`\`${field}\``), field);
  assert.ok(named.length > 5);
});
