/** `teleport can-i`: its request and its exit code. */
import assert from "node:assert/strict";
import type { CanIRequest } from "../../../proto/teleport/v1/job_worker.ts";
import { FakeCallError, FakeIo, teleport } from "../../support/fake_io.ts";

/** A server that answers so, and what it was asked. */
function answering(answer: { allowed: boolean; rule: string; code: string }) {
  const asked: object[] = [];
  const io = new FakeIo({
    CanI: (request) => {
      asked.push(request);
      return Promise.resolve(answer);
    },
  });
  return { io, asked: asked as Partial<CanIRequest>[] };
}

const yes = { allowed: true, rule: "operator/1", code: "OK" };
const no = { allowed: false, rule: "user \u001b[31m may not", code: "PERMISSION_DENIED" };

Deno.test("teleport can-i sends the call, the job and the command, and exits 0 for yes", async () => {
  const { io, asked } = answering(yes);
  assert.equal(await teleport(io, "can-i", "stop", "--job", "job-1"), 0);
  assert.equal(await teleport(io, "can-i", "--job", "job-1", "stop"), 0);
  assert.equal(await teleport(io, "can-i", "register", "--cwd", "/srv", "-e", "A=b", "--", "make", "-j8", "--job"), 0);
  assert.equal(await teleport(io, "can-i", "register", "--template", "t", "--param", "a=b"), 0);
  assert.equal(await teleport(io, "can-i", "register", "-u", "nobody", "--isolate", "strict", "--", "id", "-u"), 0);
  const last = asked.at(-1)?.job;
  assert.deepEqual([last?.user, last?.isolation, last?.args], ["nobody", "ISOLATION_STRICT", ["-u"]]);
  assert.deepEqual(asked.slice(0, 2), Array(2).fill({ call: "stop", id: "job-1" }));
  const [, , command, template] = asked;
  assert.deepEqual([command?.job?.command, command?.job?.args, command?.job?.cwd], ["make", ["-j8", "--job"], "/srv"]);
  assert.deepEqual([template?.job?.template, { ...template?.job?.parameters }], ["t", { a: "b" }]);
  assert.equal(io.stdout.text, "yes: operator/1\n".repeat(5));
});

Deno.test("teleport can-i exits 1 for no, and escapes control characters", async () => {
  const { io } = answering(no);
  assert.equal(await teleport(io, "can-i", "stop"), 1);
  assert.equal(io.stdout.text.includes("\u001b"), false);
  assert.match(io.stdout.text, /^no: user .*may not\n$/);
  const json = answering(no).io;
  assert.equal(await teleport(json, "can-i", "stop", "--output", "json"), 1);
  assert.deepEqual(JSON.parse(json.stdout.text), no);
});

Deno.test("teleport can-i exits 2 for an unknown call", async () => {
  const io = new FakeIo({ CanI: () => Promise.reject(new FakeCallError("INVALID_ARGUMENT", 'Unknown call "x"')) });
  assert.equal(await teleport(io, "can-i", "x"), 2);
  assert.match(io.stderr.text, /^teleport: Unknown call "x"\nSee "teleport can-i --help"\n$/);
  const denied = new FakeIo({ CanI: () => Promise.reject(new FakeCallError("PERMISSION_DENIED")) });
  assert.equal(await teleport(denied, "can-i", "x"), 1);
});
