/** Tests of rpc/server/status_error.ts: the errors of handlers as clients get them. */
import assert from "node:assert/strict";
import {
  CursorOutOfRangeError,
  InvalidArgumentError,
  JobNotFoundError,
  JobNotRunningError,
  JobRunningError,
  LimitReachedError,
  OutputUnavailableError,
  SupervisorClosedError,
  TeleportError,
} from "../../../mod.ts";
import { CallError } from "../../../rpc/client/client.ts";
import { all, connectTo, failure, serveLocally } from "../../support/rpc_server.ts";

const SECRET = "secret /root/path";

const errors: [string, Error, string, string][] = [
  ["bad input", new InvalidArgumentError("Empty command: give one"), "INVALID_ARGUMENT", "INVALID_ARGUMENT"],
  ["a cursor too far", new CursorOutOfRangeError("x"), "OUT_OF_RANGE", "CURSOR_OUT_OF_RANGE"],
  ["a missing job", new JobNotFoundError("x"), "NOT_FOUND", "JOB_NOT_FOUND"],
  ["a job that does not run", new JobNotRunningError("x", "EXITED"), "FAILED_PRECONDITION", "JOB_NOT_RUNNING"],
  ["a job that runs", new JobRunningError("x", "RUNNING"), "FAILED_PRECONDITION", "JOB_RUNNING"],
  ["a limit", new LimitReachedError("Too many jobs: remove some"), "RESOURCE_EXHAUSTED", "LIMIT_REACHED"],
  ["lost output", new OutputUnavailableError("x"), "DATA_LOSS", "OUTPUT_UNAVAILABLE"],
  ["a closing server", new SupervisorClosedError(), "UNAVAILABLE", "SUPERVISOR_CLOSED"],
  ["a refusal", new TeleportError("PERMISSION_DENIED", "Not yours: ask"), "PERMISSION_DENIED", "PERMISSION_DENIED"],
];

Deno.test("a TeleportError of a handler arrives with its status, code and message", async () => {
  let error: Error;
  await using server = await serveLocally({
    Status: () => Promise.reject(error),
    // deno-lint-ignore require-yield
    StatusStream: async function* () {
      await Promise.resolve();
      throw error;
    },
  }, { onInternalError: (error) => assert.fail(`Reported: ${error}`) });
  await using client = connectTo(server);
  for (const [what, thrown, status, code] of errors) {
    error = thrown;
    for (const call of [() => client.calls.Status({}), () => all(client.calls.StatusStream({}))]) {
      const failed = await failure(call());
      assert(failed instanceof CallError, what);
      assert.deepEqual([failed.status, failed.code, failed.message], [status, code, thrown.message], what);
    }
  }
});

const untold: [string, unknown][] = [
  ["any error", new Error(SECRET)],
  ["an error with a number that grpc-js would send", Object.assign(new Error(SECRET), { code: 137, details: SECRET })],
  ["an error with a status", Object.assign(new Error(SECRET), { code: 5, status: "NOT_FOUND" })],
  ["an error that looks like ours", Object.assign(new Error(SECRET), { code: "JOB_NOT_FOUND" })],
  ["no error at all", { code: 5, message: SECRET }],
  ["nothing", undefined],
];

Deno.test("another error of a handler arrives as INTERNAL without details, and the server reports it", async () => {
  let thrown: unknown;
  const reported: unknown[] = [];
  await using server = await serveLocally({
    Status: () => Promise.reject(thrown),
    Stop: () => {
      throw thrown;
    },
    // deno-lint-ignore require-yield
    StatusStream: async function* () {
      await Promise.resolve();
      throw thrown;
    },
    Start: () => {
      throw thrown;
    },
  }, { onInternalError: (error, method) => void reported.push(error, method) });
  await using client = connectTo(server);
  for (const [what, error] of untold) {
    thrown = error;
    const calls = {
      Status: () => client.calls.Status({}),
      Stop: () => client.calls.Stop({}),
      StatusStream: () => all(client.calls.StatusStream({})),
      Start: () => all(client.calls.Start({})),
    };
    for (const [name, call] of Object.entries(calls)) {
      const failed = await failure(call());
      assert.deepEqual([failed.status, failed.code], ["INTERNAL", "INTERNAL"], what);
      assert.doesNotMatch(failed.message, /secret|137/, what);
      assert.deepEqual(reported.splice(0), [error, `/teleport.v1.JobWorker/${name}`], what);
    }
  }
});

Deno.test("toServiceError() shortens a message that is too long for a header, and replaces half characters", async () => {
  await using server = await serveLocally({
    Status: ({ id }) =>
      Promise.reject(new InvalidArgumentError(id === "long" ? "é".repeat(1 << 20) : "half \ud800 of")),
  });
  await using client = connectTo(server);
  assert.equal((await failure(client.calls.Status({ id: "long" }))).message, `${"é".repeat(799)}…`);
  assert.equal((await failure(client.calls.Status({ id: "half" }))).message, "half \ufffd of");
});
