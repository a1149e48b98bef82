/**
 * Holds what `teleport` loads before it connects, because start-up time counts. These are the modules that `cli.ts` and a
 * command import. An option, a format or a file of contexts loads its own modules later.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { tasks } from "../../bench/tasks.ts";

const ROOT = new URL("../../", import.meta.url);

/** A module as `deno info --json` shows it. */
interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly isDynamic?: boolean;
    /** Absent for an import of types. */
    readonly code?: { readonly specifier: string };
  }[];
}

/** Returns all modules that the programs import, by their URL. */
async function readModules(): Promise<ReadonlyMap<string, Module>> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "cli.ts"],
    cwd: ROOT,
    stdin: "null",
    stderr: "inherit",
  }).output();
  assert.ok(success, "deno info cli.ts");
  const { modules }: { modules: Module[] } = JSON.parse(new TextDecoder().decode(stdout));
  return new Map(modules.map((module) => [module.specifier, module]));
}

/** Returns the own files and the packages that are loaded with the doors, without dynamic imports. */
function loadedWith(modules: ReadonlyMap<string, Module>, ...doors: string[]) {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const waiting = doors.map((path) => new URL(path, ROOT).href);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    const found = modules.get(next);
    assert.ok(found !== undefined, `deno info shows ${next}`);
    for (const { isDynamic, code } of found.dependencies ?? []) {
      if (isDynamic || code === undefined || code.specifier.startsWith("node:")) continue;
      // A part of a package, such as "protobufjs/light.js", is smaller than the package.
      const [, name, part = ""] = /^npm:\/?(@[^@/]+\/[^@/]+|[^@/]+)@[^/]+(\/.+)?$/.exec(code.specifier) ?? [];
      const packageName = name === undefined ? undefined : name + part;
      if (packageName === undefined) waiting.push(code.specifier);
      else packages.add(packageName);
    }
  }
  return { files: [...seen].map((url) => url.slice(ROOT.href.length)).sort(), packages: [...packages].sort() };
}

const modules = await readModules();

/** Files that only an option of `run`, another command, a format or a file of contexts needs. */
const LATER =
  /^cli\/(terminal|top|copy|completion|contexts|print\/(yaml|template)|follow\/after_end|options\/env_file)\b/;
/** Their small parts that every command needs: the parser of an option, errors, and whether there is a file. */
const NEEDED = [
  "cli/contexts/select_context.ts",
  "cli/contexts/settings_error.ts",
  "cli/terminal/detach_keys.ts",
  "cli/terminal/detach_keys_option.ts",
  "cli/terminal/detached.ts",
];

Deno.test("run loads no package but commander before it connects, and nothing of options that it does not have", () => {
  const { files, packages } = loadedWith(modules, "cli.ts", "cli/commands/run.ts");
  assert.deepEqual(packages, ["commander"]);
  assert.deepEqual(files.filter((path) => LATER.test(path)), NEEDED);
  assert.deepEqual(files.filter((path) => path.startsWith("rpc/")), ["rpc/client/entropy.ts"]);
  assert.ok(files.length <= 85, `${files.length} files, at most 85`);
});

Deno.test("a connection adds only the client's parts of gRPC, and its encoding", () => {
  const { packages } = loadedWith(modules, "cli.ts", "cli/commands/run.ts", "rpc/client/client.ts");
  // The package itself would load its server too.
  const others = packages.filter((name) => !name.startsWith("@grpc/grpc-js/build/src/"));
  assert.deepEqual(others, ["commander", "protobufjs/dist/minimal/protobuf.js"]);
});

Deno.test("before they run, only the commands that change the file of contexts load a package besides commander", () => {
  const commands = [...modules.keys()].filter((url) => url.startsWith(`${ROOT.href}cli/commands/`));
  assert.ok(commands.length > 20, `${commands.length} commands`);
  const more = commands.map((url) => url.slice(ROOT.href.length))
    .map((path) => [path, loadedWith(modules, "cli.ts", path).packages.filter((name) => name !== "commander")] as const)
    .filter(([, packages]) => packages.length > 0);
  assert.deepEqual(Object.fromEntries(more), {
    "cli/commands/context.ts": ["smol-toml"],
    "cli/commands/login.ts": ["smol-toml"],
  });
});

/** Returns where this Deno keeps packages. */
async function packageCache(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"], stderr: "inherit" }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).npmCache;
}

Deno.test("the task cli reads no command that it does not run", async () => {
  const cache = await Deno.makeTempDir();
  try {
    await Deno.symlink(await packageCache(), `${cache}/npm`);
    const [deno = "", ...args] = tasks.cli.split(" ");
    assert.equal(deno, "deno");
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: [...args, "completion", "bash"],
      cwd: ROOT,
      env: { DENO_DIR: cache },
      stderr: "inherit",
    }).output();
    assert.deepEqual({ code, hasText: stdout.length > 0 }, { code: 0, hasText: true });
    // Deno notes here what each module imports that it has read.
    using database = new DatabaseSync(`${cache}/dep_analysis_cache_v2`, { readOnly: true });
    const read = database.prepare("SELECT specifier FROM moduleinfocache").all().map(({ specifier }) => `${specifier}`);
    const commands = read.filter((url) => url.startsWith(`${ROOT.href}cli/commands/`));
    assert.deepEqual(commands, [`${ROOT.href}cli/commands/completion.ts`]);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});
