/** Reads every TypeScript file of the repository and fails where one breaks a rule of the house. */
import assert from "node:assert/strict";
import { type FileFacts, readFacts, violations } from "./structure.ts";

const root = new URL("../", import.meta.url);
const config: { name: string; imports: Record<string, string> } = JSON.parse(
  await Deno.readTextFile(new URL("deno.json", root)),
);
/** Folders that hold what programs make. */
const SKIPPED = new Set(["dist", "coverage", "node_modules"]);

async function* typescriptFiles(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(`./${folder}`, root))) {
    if (name.startsWith(".") || SKIPPED.has(name)) continue;
    if (isDirectory) yield* typescriptFiles(`${folder}${name}/`);
    else if (name.endsWith(".ts")) yield folder + name;
  }
}

/** The breaches of a tree given as text. */
function judge(sources: Record<string, string>, imports: Record<string, string> = config.imports): string[] {
  const files = new Map<string, FileFacts>();
  for (const [path, source] of Object.entries(sources)) files.set(path, readFacts(path, source));
  return violations(files, imports, config.name);
}

/** Each line: what is wrong, the file, its text, and what the sentence must say. */
const breaches: [string, string, string, RegExp][] = [
  [
    "worker/ imports upwards",
    "worker/job/job.ts",
    `// a\nimport "../../service/policy/policy.ts";`,
    /"worker" may not import "service"/,
  ],
  [
    "worker/ imports the types of the wire",
    "worker/job/job.ts",
    `// a\nimport type { A } from "../../proto/a.ts";`,
    /"proto"/,
  ],
  ["worker/ imports a package", "worker/job/job.ts", `// a\nimport "commander";`, /package "commander"/],
  [
    "a process knows of jobs",
    "worker/process/process.ts",
    `// a\nimport { Job } from "../job/job.ts";`,
    /"process" may not import "job"/,
  ],
  [
    "a job knows of the supervisor",
    "worker/job/status.ts",
    `// a\nexport * from "../supervisor/list.ts";`,
    /"job" may not import/,
  ],
  [
    "errors know of signals' users",
    "worker/errors.ts",
    `// a\nexport { a } from "./process/state.ts";`,
    /"" may not import/,
  ],
  ["a file in no room", "worker/things/thing.ts", "// a", /in no room/],
  [
    "service/ reaches round the library's door",
    "service/jobs.ts",
    `// a\nimport "../worker/job/job.ts";`,
    /may not import/,
  ],
  ["service/ knows grpc-js", "service/jobs.ts", `// a\nimport type * as g from "@grpc/grpc-js";`, /package "@grpc/],
  [
    "service/ knows the wire",
    "service/jobs.ts",
    `// a\nconst a = await import("../rpc/server/server.ts");`,
    /may not import "rpc"/,
  ],
  ["a type is imported in place", "service/jobs.ts", `// a\nlet a: import("../cli/print/print.ts").Printer;`, /"cli"/],
  ["rpc/ takes more than errors", "rpc/server/a.ts", `// a\nimport { Job } from "../../mod.ts";`, /only errors/],
  ["rpc/ takes everything", "rpc/server/a.ts", `// a\nimport * as m from "@teleport/worker";`, /only errors/],
  [
    "rpc/ reaches round the library's door",
    "rpc/server/a.ts",
    `// a\nimport "../../worker/process/state.ts";`,
    /may not import "worker"/,
  ],
  [
    "rpc/ knows service/",
    "rpc/server/server.ts",
    `// a\nimport "../../service/policy/policy.ts";`,
    /may not import "service"/,
  ],
  ["the command line loads the server", "cli/run.ts", `// a\nimport "../rpc/server/server.ts";`, /client's side/],
  ["the command line loads the library", "cli/run.ts", `// a\nimport "../mod.ts";`, /may not import "mod"/],
  ["certs/ uses the wire's package", "certs/issue.ts", `// a\nimport "@grpc/grpc-js";`, /package "@grpc/],
  ["proto/ uses a package", "proto/service.ts", `// a\nimport "protobufjs";`, /package "protobufjs"/],
  ["a door imports a door", "server.ts", `// a\nimport "./certs.ts";`, /door may not import a door/],
  ["anything imports the tests", "cli.ts", `// a\nimport "./tests/demo.ts";`, /may not import "tests"/],
  ["a jsr: import", "tests/a_test.ts", `// a\nimport "jsr:@std/assert";`, /imports "jsr:/],
  ["an https: import", "tests/a_test.ts", `// a\nimport "https://example.com/a.ts";`, /imports "https:/],
  ["an npm: import past deno.json", "rpc/server/a.ts", `// a\nimport "npm:@grpc/grpc-js";`, /imports "npm:/],
  ["an import nobody can read", "cli/a.ts", `// a\nconst a = "b"; await import(a);`, /imports ""/],
  ["arguments outside the doors", "cli/a.ts", "// a\nexport const a = Deno.args;", /uses Deno.args/],
  ["environment outside the doors", "service/a.ts", `// a\nexport const a = Deno["env"];`, /uses Deno.env/],
  ["exit outside the doors", "worker/job/job.ts", "// a\nDeno.exit(1);", /uses Deno.exit/],
  ["Node's way round", "cli/a.ts", `// a\nimport process from "node:process";\nprocess.exit(1);`, /uses process.exit/],
  ["a server handles signals", "teleportd/a.ts", `// a\nDeno.addSignalListener("SIGHUP", () => {});`, /any process/],
  ["a server uses the room of the door", "teleportd/a.ts", `// a\nimport "./process/uncaught.ts";`, /may not import/],
  ["printing outside the printer", "cli/a.ts", "// a\nconsole.log(1);", /may print/],
  ["writing to stdout outside the printer", "worker/job/job.ts", "// a\nDeno.stdout;", /may print/],
  ["no first comment", "cli/a.ts", "export const a = 1; // a", /begin with a comment/],
  ["a name that says nothing", "cli/utils.ts", "// a", /says nothing/],
  ["a name in another style", "cli/exitCode.ts", "// a", /snake_case/],
  ["a folder of interfaces", "trust/interfaces/a.ts", "// a", /next to its use/],
  ["a folder nobody knows", "lib/a.ts", "// a", /in no layer/],
  ["a file in the root", "main.ts", "// a", /in no layer/],
  ["tests that mirror nothing", "tests/things/a_test.ts", "// a", /mirrors no layer/],
  ["tests that import other tests", "tests/cli/a_test.ts", `// a\nimport "../rpc/fixture.ts";`, /tests\/support\//],
  ["support that imports tests", "tests/support/a.ts", `// a\nimport "../torture/a.ts";`, /tests\/support\//],
  ["a long file without a reason", "cli/a.ts", `// a\n${"\n".repeat(250)}`, /251 lines, at most 250/],
];

for (const [what, path, source, sentence] of breaches) {
  Deno.test(`violations() names the breach: ${what}`, () => {
    const found = judge({ [path]: source });
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", sentence);
    assert.ok(found[0]?.startsWith(path), "The sentence begins with the file");
  });
}

Deno.test("violations() names a ring of imports", () => {
  const found = judge({
    "cli/a.ts": `// a\nimport "./b.ts";`,
    "cli/b.ts": `// b\nimport "./c.ts";`,
    "cli/c.ts": `// c\nimport "./a.ts";`,
  });
  assert.deepEqual(found, ["cli/a.ts imports cli/b.ts imports cli/c.ts imports cli/a.ts: break the ring"]);
});

Deno.test("violations() wants exact versions from npm in deno.json", () => {
  const targets = ["npm:a@^1.0.0", "npm:a", "npm:a@1", "jsr:@a/a@1.0.0", "https://a.example/a.ts", "npm:@a/a@1.0.0"];
  const found = judge({}, Object.fromEntries(targets.map((target, i) => [`a${i}`, target])));
  assert.equal(found.length, targets.length - 1, found.join("\n"));
});

Deno.test("violations() finds nothing in a tree that keeps the rules", () => {
  const found = judge({
    "server.ts":
      `#!/usr/bin/env -S deno run\n// s\nimport "./mod.ts";\nimport "./rpc/server/server.ts";\nDeno.exit(Deno.args.length);`,
    "mod.ts": `/** m */\nexport * from "./worker/supervisor/supervisor.ts";`,
    "worker/supervisor/supervisor.ts": `// s\nimport "../job/job.ts";\nimport "../errors.ts";\nimport "node:fs";`,
    "worker/job/job.ts":
      `// j\nimport "../output/log.ts";\n// Deno.exit(1) and console.log in a comment or a "string: Deno.exit()"`,
    "worker/output/log.ts": `// o\nimport "../errors.ts";\nexport const text = "Deno.args";`,
    "worker/linux/signals.ts": "// s",
    "worker/linux/table.ts": `/**\n * t\n * Long: one table.\n */${"\n".repeat(300)}`,
    "worker/errors.ts": "// e",
    "rpc/server/server.ts":
      `// s\nimport "@grpc/grpc-js";\nimport { TeleportError, type ErrorCode } from "../../mod.ts";`,
    "cli/run.ts":
      `// r\nimport "../rpc/client/client.ts";\nimport type {} from "../proto/service.ts";\nimport "commander";`,
    "tests/a_test.ts": `// t\nimport "../server.ts";\nimport "@grpc/grpc-js";\nconsole.log(Deno.args);`,
  });
  assert.deepEqual(found, []);
});

Deno.test("every file of the repository keeps the rules of the house", async () => {
  const sources: Record<string, string> = {};
  for await (const path of typescriptFiles("")) sources[path] = await Deno.readTextFile(new URL(path, root));
  assert.ok(Object.keys(sources).length > 5 && "tests/structure_test.ts" in sources, "The files were found");
  const found = judge(sources);
  assert.equal(found.length, 0, `\n${found.join("\n")}\n`);
});
