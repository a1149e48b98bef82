/** The demo as a process: it succeeds, it reports a failed step, and it leaves nothing in the temporary directory. */
import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Runs the demo with its own temporary folder, which must be empty at the end. */
async function demo(env: Record<string, string>, interruptAt?: string) {
  const temporary = await Deno.makeTempDir({ prefix: "demo_test_" });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "tests/demo/main.ts"],
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

Deno.test("the demo succeeds", async () => {
  const { code, stdout, stderr } = await demo({});
  assert.equal(stderr, "");
  assert.equal(code, 0);
  for (const user of ["admin", "ann  "]) {
    for (const line of ["first line, on stdout", "fourth line, on stderr"]) {
      assert.equal(stdout.split(`${user} sees: ${line}\n`).length, 2, `${user} sees "${line}" once`);
    }
  }
  assert.match(stdout, /Everything was real/);
});

Deno.test("the demo reports the step that fails", async () => {
  // Jobs find programs in the server's PATH. Without sleep, the job ends at once and does not wait for its signal.
  const { code, stdout, stderr } = await demo({ PATH: "/nowhere" });
  assert.equal(code, 1);
  assert.match(stderr, /^\nFAILED at step 3: A job, and two users who watch it live\n/);
  assert.doesNotMatch(stdout, /Everything was real/);
});

Deno.test("the demo cleans up when it is interrupted while a job runs", async () => {
  const { code, stderr } = await demo({}, "admin sees: first line");
  assert.equal(code, 1);
  assert.match(stderr, /^\nFAILED at step 3: .*\nThe demo was interrupted\n$/);
});
