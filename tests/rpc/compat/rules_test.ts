/** The rules of rpc/compat/: private fields and patches are only there, and a test shows why each is still needed. */
import assert from "node:assert/strict";

const root = new URL("../../../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, root));

/** Files that only serve others of the folder. */
const PARTS = ["inherited_socket.ts", "socket_address.ts", "socket_calls.ts"];

async function* filesOf(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, root))) {
    if (isDirectory) yield* filesOf(`${folder}${name}/`);
    else if (name.endsWith(".ts")) yield folder + name;
  }
}

Deno.test("rpc/ uses private fields and patches node:http2 only in compat/", async () => {
  const found: string[] = [];
  const inCompat: string[] = [];
  for await (const path of filesOf("rpc/")) {
    const code = (await read(path)).replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
    // A member that starts with an underscore, one taken by destructuring, and an assignment to a function of node:http2.
    const use = /\._[a-z]\w*|\{[^{}]*\b_[a-z]\w*\s*[:,}]|\bhttp2\.\w+\s*=[^=]/.exec(code);
    if (use !== null) (path.startsWith("rpc/compat/") ? inCompat : found).push(`${path}: ${use[0]}`);
  }
  assert.deepEqual(found, []);
  assert.ok(inCompat.length >= 4, `The rule finds less than it should: ${inCompat}`);
});

Deno.test("each file of rpc/compat/ names its tests, one of which shows why it is still needed", async () => {
  for await (const path of filesOf("rpc/compat/")) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (PARTS.includes(name)) continue;
    const comment = (await read(path)).split("*/")[0] ?? "";
    const tests = comment.match(/\b\w+_test\.ts\b/g) ?? [];
    assert.ok(tests.length > 0, `${path} names no test`);
    const texts = await Promise.all(tests.map((test) => read(`tests/rpc/compat/${test}`)));
    assert.ok(texts.some((text) => text.includes("is still needed because")), `${path}: no test shows its need`);
  }
});
