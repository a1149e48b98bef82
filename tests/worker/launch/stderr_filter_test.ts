/** Tests of the filter that separates the launcher's messages from the job's output. */
import assert from "node:assert/strict";
import { Launch } from "../../../worker/launch/launcher.ts";

/** Returns a launch and its secret, which is the argument after the script. */
function newLaunch(): { launch: Launch; secret: string; opened: () => number } {
  let opened = 0;
  const program = { name: "x", path: "/x", args: [], env: {}, cwd: "/" };
  const launch = new Launch({ umask: 0 }, program, "MARK", () => opened += 1);
  return { launch, secret: launch.args[2] ?? "", opened: () => opened };
}

Deno.test("StderrFilter.pass() returns the program's bytes wherever the chunks are cut", () => {
  const encoder = new TextEncoder();
  for (const [tail, expected, fails] of [[">hello", "hello", false], [">", "", false]] as const) {
    const { secret } = newLaunch();
    const whole = encoder.encode(`a word\n${secret}${tail}`);
    for (let cut = 0; cut <= whole.length; cut++) {
      const { launch, secret: own, opened } = newLaunch();
      const bytes = encoder.encode(`a word\n${own}${tail}`);
      const parts = [
        launch.stderr.pass(bytes.slice(0, cut)),
        launch.stderr.pass(bytes.slice(cut)),
        launch.stderr.rest(),
      ];
      assert.equal(parts.map((part) => new TextDecoder().decode(part)).join(""), expected);
      assert.equal(launch.failure() !== undefined, fails);
      assert.equal(opened(), 1);
    }
  }
});

Deno.test("StderrFilter.pass() returns nothing of a message about exec, wherever the chunks are cut", () => {
  const encoder = new TextEncoder();
  const length = encoder.encode(`${newLaunch().secret}>`).length * 2 + 20;
  for (let cut = 0; cut <= length; cut++) {
    const { launch, secret } = newLaunch();
    const bytes = encoder.encode(`${secret}>${secret}: 1: exec: /x: Argument list too long\n`);
    const parts = [launch.stderr.pass(bytes.slice(0, cut)), launch.stderr.pass(bytes.slice(cut)), launch.stderr.rest()];
    assert.deepEqual(parts, [undefined, undefined, undefined]);
    assert.deepEqual(launch.failure(), {
      errorCode: "SPAWN_FAILED",
      error:
        'Cannot execute command "x": Argument list too long: shorten its arguments and environment, or raise the ' +
        "server's stack limit",
    });
  }
});

Deno.test("StderrFilter.pass() keeps little of a long message, and still finds the opening", () => {
  const { launch, secret } = newLaunch();
  const encoder = new TextEncoder();
  for (let i = 0; i < 100; i++) assert.equal(launch.stderr.pass(encoder.encode("x".repeat(10_000))), undefined);
  assert.equal(launch.stderr.stage, "launching");
  assert.ok((launch.failure()?.error.length ?? Infinity) < 5_000);
  launch.stderr.pass(encoder.encode(secret.slice(0, 20)));
  assert.equal(new TextDecoder().decode(launch.stderr.pass(encoder.encode(`${secret.slice(20)}>ok`))), "ok");
});
