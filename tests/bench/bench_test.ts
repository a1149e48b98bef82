/** The benchmark as its users run it, in its quick form: every budget is measured, or said to be skipped and why. */
import assert from "node:assert/strict";
import { deadline, eventually } from "../support/deadline.ts";
import { tempDir } from "../support/temp_dir.ts";

const MAIN = new URL("../../bench/main.ts", import.meta.url).pathname;

/** A word of each budget of the design, in its order, and whether a machine may lack what it needs. */
const BUDGETS: [RegExp, boolean][] = [
  [/finished job's output/, false],
  [/streaming live/, false],
  [/ssh localhost true/, true],
  [/the same from the bundle/, true],
  [/teleport logs ID.*1 client: speed/, true],
  [/teleport run cat file.*1 client: speed/, true],
  [/teleport run -i.*1 client: speed/, true],
  [/20 watchers that read nothing: growth/, false],
  [/1,000 watchers of a quiet job: growth/, false],
  [/1,000 watchers of a quiet job: time/, false],
  [/32 at a time/, false],
  [/100 watchers: processor/, false],
  [/100 watchers: timers/, false],
];

async function bench(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "-A", MAIN, ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("deno task bench --quick measures every budget and writes the results", async () => {
  await using temporary = await tempDir();
  const directory = temporary.path;

  const { code, stdout, stderr } = await bench("--quick", "--results", `${directory}/results.md`);
  assert.equal(code, 0, stderr);
  const results = await Deno.readTextFile(`${directory}/results.md`);
  for (const [words, maySkip] of BUDGETS) {
    const line = stdout.split("\n").find((line) => words.test(line)) ?? "";
    const row = results.split("\n").find((line) => line.startsWith("|") && words.test(line)) ?? "";
    if (maySkip && line.startsWith("SKIP")) continue;
    assert.match(line, /^(PASS|MISS) .*: .*\d.*; budget /, `${words} in:\n${stdout}`);
    assert.match(row, /^\| .* \| .* \| [^|]*\d[^|]* \| (PASS|MISS) \|$/, `${words} in:\n${results}`);
  }
  assert.match(stdout, /^Deno \d+\.\d+\.\d+, V8 .*grpc-js@/m, "The versions are told");
  assert.doesNotMatch(stdout + results, /NaN|undefined/);
});

Deno.test("deno task bench refuses a measurement it does not have, and names those it has", async () => {
  const { code, stderr } = await bench("--only", "nothing");
  assert.equal(code, 2);
  assert.match(stderr, /streaming, run, ssh_finished/);
});

Deno.test("deno task bench ended by a signal leaves no directory", async () => {
  await using temporary = await tempDir();
  const { path } = temporary;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "-A", MAIN, "--only", "memory"],
    env: { NO_COLOR: "1", TMPDIR: path },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const directories = () => [...Deno.readDirSync(path)].filter(({ name }) => name.startsWith("teleport_bench_"));
  // The server runs once it has made its database.
  const hasServer = (directory: string) =>
    [...Deno.readDirSync(directory)].some(({ name }) =>
      name.startsWith("data_") && [...Deno.readDirSync(`${directory}/${name}`)].some(({ name }) => name === "jobs.db")
    );
  await eventually(() => directories().some(({ name }) => hasServer(`${path}/${name}`)), "the first server");
  child.kill("SIGTERM");
  assert.equal((await deadline(child.status)).code, 143);
  assert.deepEqual(directories(), []);
});
