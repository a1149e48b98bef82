/**
 * The compiled programs, made by the commands of the tasks `bundle` and `compile` in `deno.json`, with a stand-in for the
 * runtime's base. The real base cannot be downloaded everywhere. The stand-in is tests/host/standin.c: it runs deno on
 * the same bundles, which are the code that a real base would run.
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { tempDir } from "./temp_dir.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** The compiled programs in a directory that every user can read. */
export interface Compiled extends AsyncDisposable {
  /** The directory with `teleportd`, `teleport` and their bundles, `server/server.js` and `client/cli.js`. */
  readonly dir: string;
}

/** Compiles both programs. Needs `cc`. */
export async function compileWithStandIn(): Promise<Compiled> {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(await tempDir({ mode: 0o755 })).path;
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  // Another user cannot reach the runtime that runs this test.
  await Deno.copyFile(Deno.execPath(), `${dir}/deno`);
  await Deno.copyFile(`${ROOT}deno.json`, `${dir}/deno.json`);
  await Deno.mkdir(`${dir}/deno_dir`, { mode: 0o755 });
  const defines = [`-DPLACE="${dir}/"`, '-DSERVER="server/server.js"', '-DCLIENT="client/cli.js"'];
  await run("cc", ["-O2", ...defines, "-o", `${dir}/denort`, "tests/host/standin.c"]);
  const commands = `${tasks.bundle.command} && ${tasks.compile.command}`
    .replaceAll("dist/", `${dir}/`)
    .replaceAll("deno compile", "deno compile --config=deno.json");
  await run("sh", ["-c", commands], { DENORT_BIN: `${dir}/denort` });
  const owned = stack.move();
  return { dir, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function run(command: string, args: string[], env: Record<string, string> = {}): Promise<void> {
  const path = `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}`;
  const { success, stderr } = await new Deno.Command(command, {
    args,
    cwd: ROOT,
    env: { ...env, PATH: path, NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  assert.ok(success, `${command}: ${new TextDecoder().decode(stderr)}`);
}

/** Reads what `deno compile` has written into a program for the runtime: permissions, V8 flags and the like. */
export async function embeddedSettings(program: string): Promise<Record<string, unknown>> {
  const text = new TextDecoder("latin1").decode(await Deno.readFile(program));
  const start = text.indexOf('{"argv":');
  assert.ok(start >= 0, `${program} has settings`);
  return JSON.parse(text.slice(start, endOfObject(text, start)));
}

/** Returns where a JSON object ends. */
function endOfObject(text: string, start: number): number {
  let depth = 0;
  for (const token of text.slice(start).matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token[0] === "{") depth += 1;
    else if (token[0] === "}" && --depth === 0) return start + token.index + 1;
  }
  throw new Error("The object does not end");
}
