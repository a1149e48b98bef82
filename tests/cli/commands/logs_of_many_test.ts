/** `teleport logs` of several jobs: whole lines with names, filters, jobs that start later, and verified output. */
import assert from "node:assert/strict";
import type { JobWorkerClient } from "../../../proto/service.ts";
import type { JobOutput, JobStatus } from "../../../proto/teleport/v1/job_worker.ts";
import { main } from "../../../cli/main.ts";
import { exited, jobStatus, outputOf, running } from "../../support/cli_messages.ts";
import { event } from "../../support/fake_events.ts";
import { FakeCallError, FakeIo, teleport, untilAborted } from "../../support/fake_io.ts";
import { stream } from "../../support/streams.ts";

type Asked = Parameters<JobWorkerClient["GetOutput"]>[0];

const FIRST = "11111111-0000-4000-8000-000000000000";
const SECOND = "22222222-0000-4000-8000-000000000000";

/** A server with the outputs of jobs. */
function server(outputs: Record<string, readonly JobOutput[]>, calls: Partial<JobWorkerClient> = {}) {
  const asked: Asked[] = [];
  const io = new FakeIo({
    Status: ({ id = "" }) =>
      outputs[id] === undefined
        ? Promise.reject(new FakeCallError("NOT_FOUND", `No job "${id}"`))
        : Promise.resolve({ ...exited(0), id }),
    GetOutput: (request) => {
      asked.push(request);
      return stream(...outputs[request.id ?? ""]!);
    },
    ...calls,
  });
  return { io, asked };
}

Deno.test("teleport logs of several jobs prints whole lines, each with the beginning of the job's id", async () => {
  const { io } = server({
    [FIRST]: await outputOf([["stdout", "one\ntw"], ["stderr", "error\n"], ["stdout", "o\nno newline"]], exited(0)),
    [SECOND]: await outputOf([["stdout", "other\n"]], exited(0)),
  });
  assert.equal(await teleport(io, "logs", FIRST, SECOND), 0);
  assert.deepEqual(io.stdout.text.trimEnd().split("\n").sort(), [
    "11111111 | no newline",
    "11111111 | one",
    "11111111 | two",
    "22222222 | other",
  ]);
  assert.equal(io.stderr.text, "11111111 | error\n");
});

Deno.test("teleport logs of several jobs never mixes lines, however a write is cut", async () => {
  const lines = (letter: string) => Array.from({ length: 200 }, (_, at) => `${letter}${at}\n`);
  const { io } = server({
    [FIRST]: await outputOf(lines("a").map((line) => ["stdout", line]), exited(0)),
    [SECOND]: await outputOf(lines("b").map((line) => ["stdout", line]), exited(0)),
  });
  io.stdout.maxBytesAWrite = 3;
  assert.equal(await teleport(io, "logs", FIRST, SECOND), 0);
  const printed = io.stdout.text.trimEnd().split("\n");
  assert.ok(printed.every((line) => /^(11111111 \| a\d+|22222222 \| b\d+)$/.test(line)));
  assert.equal(printed.length, 400);
});

Deno.test("teleport logs of several jobs prints a long line in parts of 64 KiB", async () => {
  const { io } = server({
    [FIRST]: await outputOf([["stdout", "x".repeat(100_000)], ["stdout", "y".repeat(50_000)]], exited(0)),
    [SECOND]: await outputOf([], exited(0)),
  });
  assert.equal(await teleport(io, "logs", FIRST, SECOND), 0);
  const parts = io.stdout.text.trimEnd().split("\n").map((line) => line.replace("11111111 | ", ""));
  assert.deepEqual(parts.map(({ length }) => length), [65_536, 65_536, 18_928]);
  assert.equal(parts.join(""), "x".repeat(100_000) + "y".repeat(50_000));
});

Deno.test("teleport logs of several jobs colours the names on a terminal, unless NO_COLOR is set", async () => {
  for (const environment of [{}, { NO_COLOR: "1" }]) {
    const { io } = server({
      [FIRST]: await outputOf([["stdout", "a\n"]], exited(0)),
      [SECOND]: await outputOf([["stdout", "b\n"]], exited(0)),
    });
    io.stdout.terminal = true;
    const dir = await Deno.makeTempDir();
    try {
      await Promise.all(["ca.crt", "admin.crt", "admin.key"].map((name) => Deno.writeTextFile(`${dir}/${name}`, name)));
      assert.equal(await main(["logs", FIRST, SECOND], { TELEPORT_CERTS: dir, ...environment }, io), 0);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
    const wanted = "NO_COLOR" in environment
      ? ["11111111 | a", "22222222 | b"]
      : ["\x1b[33m22222222 | \x1b[39mb", "\x1b[36m11111111 | \x1b[39ma"];
    assert.deepEqual(io.stdout.text.trimEnd().split("\n").sort(), wanted);
  }
});

Deno.test("teleport logs of several jobs verifies each, and one that fails does not stop the others", async () => {
  const [chunk, end] = await outputOf([["stdout", "hi\n"]], exited(0));
  const { io } = server({
    [FIRST]: [{ ...chunk!, data: new TextEncoder().encode("ho\n") }, end!],
    [SECOND]: await outputOf([["stdout", "good\n"]], exited(0)),
  });
  assert.equal(await teleport(io, "logs", FIRST, SECOND), 1);
  assert.match(io.stdout.text, /^22222222 \| good$/m);
  assert.match(io.stderr.text, /^teleport: 11111111: Output was altered on its way/);
  const { io: other } = server({ [FIRST]: [chunk!, end!] });
  assert.equal(await teleport(other, "logs", FIRST, "no-such"), 1);
  assert.equal(other.stdout.text, "");
});

Deno.test("teleport logs --output json of several jobs has the id in each object", async () => {
  const { io } = server({
    [FIRST]: await outputOf([["stdout", "a\n"]], exited(0)),
    [SECOND]: await outputOf([["stdout", "b\n"]], exited(0)),
  });
  assert.equal(await teleport(io, "logs", "--output", "json", FIRST, SECOND), 0);
  const objects = io.stdout.text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(objects.map(({ id }) => id).sort(), [FIRST, FIRST, SECOND, SECOND]);
});

Deno.test("teleport logs with a filter prints the jobs that match, the oldest first", async () => {
  const jobs: JobStatus[] = [{ ...exited(0), id: FIRST }, jobStatus({ id: "initial" }), { ...running(), id: SECOND }];
  const lists: unknown[] = [];
  const { io, asked } = server({
    [FIRST]: await outputOf([["stdout", "a\n"]], exited(0)),
    [SECOND]: await outputOf([["stdout", "b\n"]], running()),
  }, {
    List: (request) => {
      lists.push(request);
      return Promise.resolve({ jobs, next_page_token: "" });
    },
  });
  assert.equal(await teleport(io, "logs", "-l", "app=web", "--tail", "1"), 0);
  assert.deepEqual(io.stdout.text.trimEnd().split("\n").sort(), ["11111111 | a", "22222222 | b"]);
  assert.deepEqual(asked, [FIRST, SECOND].map((id) => ({ follow: false, tail_lines: 1, id })));
  const [{ labels, oldest_first }] = lists as [{ labels: Record<string, string>; oldest_first: boolean }];
  assert.deepEqual([{ ...labels }, oldest_first], [{ app: "web" }, true]);
});

Deno.test("teleport logs -f with a filter also prints jobs that start later, until it is ended", async () => {
  const outputs = {
    [FIRST]: await outputOf([["stdout", "a\n"]], exited(0)),
    [SECOND]: await outputOf([["stdout", "b\n"]], exited(0)),
  };
  async function* WatchJobs(_: unknown, options?: { signal?: AbortSignal }) {
    yield event("KNOWN", { ...running(), id: FIRST });
    yield event("CURRENT", null);
    yield event("CHANGED", jobStatus({ id: SECOND }));
    yield event("CHANGED", { ...running(), id: SECOND });
    yield event("CHANGED", { ...exited(0), id: SECOND });
    await untilAborted(options?.signal);
  }
  const { io, asked } = server(outputs, { WatchJobs });
  // The reader of the output goes away after both lines, because nothing else ends the command.
  const write = io.stdout.write.bind(io.stdout);
  io.stdout.write = async (data) => {
    const written = await write(data);
    if (io.stdout.text.split("\n").length === 3) throw new Deno.errors.BrokenPipe();
    return written;
  };
  assert.equal(await teleport(io, "logs", "-f", "-l", "app=web"), 141);
  assert.deepEqual(io.stdout.text.trimEnd().split("\n").sort(), ["11111111 | a", "22222222 | b"]);
  assert.deepEqual(asked.map(({ id }) => id), [FIRST, SECOND]);
});

Deno.test("teleport logs -f with a filter ends when the reader of its output goes away", async () => {
  async function* WatchJobs(_: unknown, options?: { signal?: AbortSignal }) {
    yield event("KNOWN", { ...running(), id: FIRST });
    await untilAborted(options?.signal);
  }
  const { io } = server({ [FIRST]: await outputOf([["stdout", "a\n"]], exited(0)) }, { WatchJobs });
  io.stdout.failure = new Deno.errors.BrokenPipe();
  assert.equal(await teleport(io, "logs", "-f", "-l", "app=web"), 141);
});

Deno.test("teleport logs needs ids or a filter, and a cursor needs one id", async () => {
  for (const args of [[], ["-l", "a=b", "job-1"], ["--cursor", "c", "a", "b"], ["--cursor", "c", "-l", "a=b"]]) {
    assert.equal(await teleport(new FakeIo(), "logs", ...args), 2, args.join(" "));
  }
});

Deno.test("teleport logs --offsets prints the position of each line in its stream", async () => {
  const messages = await outputOf([["stdout", "one\ntw"], ["stderr", "x\n"], ["stdout", "o\n"]], exited(0));
  const io = new FakeIo({ GetOutput: () => stream(...messages) });
  assert.equal(await teleport(io, "logs", "--offsets", "job-1"), 0);
  assert.equal(io.stdout.text, "0:one\n4:two\n");
  assert.equal(io.stderr.text, "0:x\n");
});
