/** The demo as a process: it succeeds, it fails loudly when a step does not do what it says, and it leaves nothing. */
import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Runs the demo with a temporary folder of its own, which must be empty again at the end. */
async function demo(env: Record<string, string>, interruptAt?: string) {
  const temporary = await Deno.makeTempDir({ prefix: "demo_test_" });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "tests/demo.ts"],
    cwd: ROOT,
    env: { TMPDIR: temporary, NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let stdout = "";
  const reading = (async () => {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      stdout += text;
      if (interruptAt !== undefined && stdout.includes(interruptAt)) {
        child.kill("SIGINT");
        interruptAt = undefined;
      }
    }
  })();
  const [stderr, { code }] = await Promise.all([new Response(child.stderr).text(), child.status, reading]);
  const left = [];
  for await (const { name } of Deno.readDir(temporary)) left.push(name);
  await Deno.remove(temporary, { recursive: true });
  assert.deepEqual(left, [], "The temporary folder is empty");
  return { code, stdout, stderr };
}

Deno.test("the demo tells its story to the end", async () => {
  const { code, stdout, stderr } = await demo({});
  assert.equal(stderr, "");
  assert.equal(code, 0);
  for (const user of ["admin", "ann  "]) {
    for (const line of ["first line, on stdout", "fourth line, on stderr"]) {
      assert.equal(stdout.split(`${user} sees: ${line}\n`).length, 2, `${user} sees "${line}" once`);
    }
  }
  assert.match(stdout, /All of it was real/);
});

Deno.test("the demo fails at the step that does not do what it says", async () => {
  // Jobs find programs in the server's PATH: without sleep, the job ends at once instead of waiting for its signal.
  const { code, stdout, stderr } = await demo({ PATH: "/nowhere" });
  assert.equal(code, 1);
  assert.match(stderr, /^\nFAILED at step 3: A job, and two who watch it live\n/);
  assert.doesNotMatch(stdout, /All of it was real/);
});

Deno.test("the demo cleans up when it is interrupted while a job runs", async () => {
  const { code, stderr } = await demo({}, "admin sees: first line");
  assert.equal(code, 1);
  assert.match(stderr, /^\nFAILED at step 3: .*\nThe demo was interrupted\n$/);
});
