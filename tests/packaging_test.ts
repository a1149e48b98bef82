/**
 * Holds what is built and shipped against the tree: image, package, permissions, version of Deno, tasks.
 * Slow: it runs `deno info` and `deno publish`.
 */
import assert from "node:assert/strict";

const root = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, root));

/** The documents that hold commands for users. */
async function documents(): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(new URL("docs", root)));
  const pages = entries.filter(({ name }) => name.endsWith(".md")).map(({ name }) => `docs/${name}`);
  return ["README.md", "CONTRIBUTING.md", ...pages];
}

/** Returns the paths that the build stage copies out of the repository. */
function copied(dockerfile: string): string[] {
  return dockerfile.split("\n")
    .filter((line) => line.startsWith("COPY ") && !line.includes("--from="))
    .flatMap((line) => line.split(/\s+/).slice(1, -1))
    .map((path) => path.replace(/^\.\//, ""));
}

Deno.test("copied() takes sources, not targets and not other stages", () => {
  assert.deepEqual(copied("FROM a\nCOPY b.ts ./c.ts /d/\nCOPY --from=x e f\nRUN COPY g h"), ["b.ts", "c.ts"]);
});

Deno.test("the Dockerfile copies what exists, and .dockerignore lets it through", async () => {
  const paths = copied(await read("Dockerfile"));
  assert.ok(paths.length > 0);
  const allowed = (await read(".dockerignore")).split("\n").filter((line) => line.startsWith("!"));
  const missing: string[] = [];
  for (const path of paths) {
    await Deno.stat(new URL(path, root)).catch(() => missing.push(path));
  }
  assert.deepEqual(missing, []);
  assert.deepEqual(allowed.map((line) => line.slice(1).replace(/\/$/, "")).sort(), paths.sort());
});

Deno.test("the Dockerfile copies every file that the programs are made of", async () => {
  const paths = copied(await read("Dockerfile"));
  for (const door of ["server.ts", "cli.ts"]) {
    const info = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", door],
      cwd: root,
      stdin: "null",
      stderr: "inherit",
    }).output();
    assert.ok(info.success, `deno info ${door}`);
    const { modules }: { modules: { specifier: string }[] } = JSON.parse(new TextDecoder().decode(info.stdout));
    const own = modules.filter(({ specifier }) => specifier.startsWith(root.href))
      .map(({ specifier }) => specifier.slice(root.href.length));
    assert.ok(own.includes(door) && own.length > 5, `deno info ${door} names its files`);
    const left = own.filter((file) => !paths.some((path) => file === path || file.startsWith(`${path}/`)));
    assert.deepEqual(left, [], `files of ${door}`);
  }
});

Deno.test("the same Deno everywhere, which is the one that runs this", async () => {
  for (const path of ["Dockerfile", ".ci/run", ...await documents()]) {
    const versions = [...(await read(path)).matchAll(/\bdeno(?:@|:)(\d[\w.]*)/g)].map((match) => match[1]);
    assert.ok(versions.length > 0 || path.startsWith("docs/"), `${path} names a version`);
    assert.ok(versions.every((version) => version === Deno.version.deno), path);
  }
});

Deno.test("the server gets the same V8 options however it is started", async () => {
  const { tasks }: { tasks: Record<string, { command: string }> } = JSON.parse(await read("deno.json"));
  const starts = [["serve", "server.ts"], ["compile", "dist/server/server.js"], [
    "check:compile",
    "dist/server/server.js",
  ]];
  for (const [name = "", script = ""] of starts) {
    const command = tasks[name]?.command.split(" && ").find((part) =>
      part.endsWith(script) || part.includes(`${script} `)
    );
    assert.deepEqual(command?.match(/--v8-flags=\S+/g), ["--v8-flags=--max-semi-space-size=8"], name);
  }
});

Deno.test("the gate compiles as the task does, but for the runtime and the place of the programs", async () => {
  const { tasks }: { tasks: Record<string, { command: string; dependencies?: string[] }> } = JSON.parse(
    await read("deno.json"),
  );
  const gate = tasks["check:compile"]!;
  assert.deepEqual(gate.dependencies, tasks.compile!.dependencies);
  assert.equal(
    gate.command.replaceAll("DENORT_BIN=/bin/true ", "").replaceAll("dist/check/", "dist/"),
    tasks.compile!.command,
  );
});

Deno.test("every line that compiles a program turns the code cache off", async () => {
  // A compiled program would read V8 code from a file in TMPDIR, whose name is known and which another user can make.
  const { stdout } = await new Deno.Command("git", { args: ["ls-files", "-z"], cwd: root }).output();
  const listed = new TextDecoder().decode(stdout).split("\0").filter((path) => path !== "");
  const paths = listed.length > 0 ? listed : ["deno.json", "Dockerfile", ".ci/run"];
  let count = 0;
  for (const path of paths) {
    for (const line of (await read(path).catch(() => "")).split("\n")) {
      for (const [command] of line.matchAll(/\bdeno\S* compile [^&;|`]*\.[jt]s\b/g)) {
        count += 1;
        assert.match(command, / --no-code-cache /, `${path}: ${command}`);
      }
    }
  }
  assert.ok(count >= 4, `${count} lines compile a program`);
});

Deno.test("every task has a description, and the documents name no other task", async () => {
  const { tasks }: { tasks: Record<string, { description?: string }> } = JSON.parse(await read("deno.json"));
  for (const [name, { description }] of Object.entries(tasks)) assert.ok(description, `task ${name}`);
  // "check:*" stands for all tasks of that prefix.
  const isTask = (name: string) =>
    name in tasks || (name.endsWith(":") && Object.keys(tasks).some((task) => task.startsWith(name)));
  for (const path of await documents()) {
    const commands = [...(await read(path)).matchAll(/\bdeno(?:@\S+)? task (?:-q )?"?([a-z][a-z:]*)/g)];
    const named = commands.map(([, name = ""]) => name);
    assert.ok(named.length > 0 || path !== "README.md");
    assert.deepEqual(named.filter((name) => !isTask(name)), [], path);
  }
});

/** Runs a program with a permission set of deno.json, in an environment of one known and one unknown variable. */
async function withPermissions(set: string, program: string): Promise<string> {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, program);
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "--no-prompt", `--config=${new URL("deno.json", root).pathname}`, `-P=${set}`, path],
      env: { TELEPORT_CERTS: "known", GRPC_TRACE: "unknown" },
      stderr: "inherit",
    }).output();
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(path);
  }
}

const ASK = `
for (const name of ["net", "read", "write", "run", "ffi", "import"] as const) {
  console.log(name, (await Deno.permissions.query({ name })).state);
}
console.log(Deno.env.get("TELEPORT_CERTS"), Deno.env.get("GRPC_TRACE"));`;

Deno.test("the command line runs only sh, and sees only its own variables", async () => {
  const askForPrograms = `${ASK}
for (const command of ["sh", "ls"]) {
  console.log(command, (await Deno.permissions.query({ name: "run", command })).state);
}`;
  // With --no-prompt, "prompt" means that it is refused.
  assert.equal(
    await withPermissions("cli", askForPrograms),
    "net granted\nread granted\nwrite granted\nrun prompt\nffi denied\nimport denied\nknown undefined\n" +
      "sh granted\nls prompt\n",
  );
});

Deno.test("the certificate tool can neither reach the network nor run programs", async () => {
  assert.equal(
    await withPermissions("certs", ASK),
    "net denied\nread granted\nwrite granted\nrun denied\nffi denied\nimport denied\nknown undefined\n",
  );
});

Deno.test("the package holds the library, its licence and README, and nothing else", async () => {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty"],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.ok(success, said);
  const files = [...said.matchAll(/file:\/\/\S+/g)].map(([url]) => url)
    .filter((url) => url.startsWith(root.href))
    .map((url) => url.slice(root.href.length));
  for (
    const file of ["mod.ts", "job_host.ts", "README.md", "LICENSE", "deno.json", "worker/supervisor/supervisor.ts"]
  ) {
    assert.ok(files.includes(file), `${file} is in the package: ${said}`);
  }
  const others = files.filter((file) =>
    !/^(mod\.ts|job_host\.ts|README\.md|LICENSE|deno\.json|base\/(\w+\/)*\w+\.ts|worker\/(\w+\/)*\w+\.ts)$/.test(file)
  );
  assert.deepEqual(others, []);
});
