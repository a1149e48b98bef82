/** The checks of the kill tests find the faults that they are for: each test plants one. */
import assert from "node:assert/strict";
import type { JobWorkerClient } from "../../proto/service.ts";
import type { JobOutput } from "../../proto/teleport/v1/job_worker.ts";
import { CallError } from "../../rpc/client/client.ts";
import { eventually } from "../support/deadline.ts";
import { finalOf } from "../support/server_process.ts";
import { checkProcesses } from "./checks.ts";
import { Follower } from "./follower.ts";
import { filesOf, requestFor, SHORT_SCRIPTS } from "./jobs.ts";
import { type Entry, type Fact, Ledger } from "./ledger.ts";
import { LineCheck } from "./lines.ts";
import { LongJobs } from "./long_jobs.ts";
import { Place } from "./place.ts";
import { jobProcesses, MARK, programsOn } from "./processes.ts";

const TEXTS: readonly (readonly [what: string, texts: readonly string[], fault: RegExp])[] = [
  ["a lost line", ["line 1\nline 3\n"], /line 3 follows line 1/],
  ["a lost first line", ["line 2\n"], /line 2 follows line 0/],
  ["a doubled line", ["line 1\nli", "ne 1\n"], /line 1 follows line 1/],
  ["a lost byte", ["line 1\nine 2\n"], /"ine 2" is not a line/],
  ["a doubled byte", ["line 1\nline  2\n"], /"line {2}2" is not a line/],
  ["lost lines before the end", ["line 1\nend 2\n"], /ended after line 2, and line 1 is the last/],
  ["output after the end", ["line 1\nend 1\nline 2\n"], /"line 2" follows the end/],
  ["a missing end", ["line 1\nend"], /without "end"/],
];

for (const [what, texts, fault] of TEXTS) {
  Deno.test(`LineCheck finds ${what}`, () => {
    const check = new LineCheck("job");
    assert.throws(() => {
      for (const text of texts) check.receive(text);
      check.finish();
    }, fault);
  });
}

Deno.test("LineCheck accepts a gap that the server reports, and finds a lost line after it", () => {
  const check = new LineCheck("job");
  check.receive("line 1\nli");
  check.dropped();
  check.receive("ne 7\nline 8\n");
  assert.throws(() => check.receive("line 10\n"), /line 10 follows line 8/);
});

/** A client whose calls give these messages. A text is the output of one call, after which the server is gone. */
function callsOf(...answers: readonly (readonly Partial<JobOutput>[])[]): Pick<JobWorkerClient, "GetOutput"> {
  const queue = [...answers];
  return {
    async *GetOutput() {
      for (const message of queue.shift() ?? []) {
        yield { stream: "STREAM_STDOUT", dropped_bytes: 0, end: null, ...message } as JobOutput;
      }
      throw new CallError("UNAVAILABLE", "the server is gone");
    },
  };
}

function chunk(text: string, offset: number): Partial<JobOutput> {
  return { data: new TextEncoder().encode(text), offset, cursor: `${offset}` };
}

const END = { stdout_bytes: 7, stderr_bytes: 0, stdout_sha256: new Uint8Array(32), stderr_sha256: new Uint8Array(32) };

const STREAMS: readonly (readonly [what: string, answers: readonly Partial<JobOutput>[][], fault: RegExp])[] = [
  ["a chunk that comes twice after an outage", [[chunk("line 1\n", 0)], [chunk("line 1\n", 0)]], /offset of a chunk/],
  ["a chunk that is lost in an outage", [[chunk("line 1\n", 0)], [chunk("line 3\n", 14)]], /offset of a chunk/],
  ["an altered byte", [[chunk("Line 1\n", 0)]], /"Line 1" is not a line/],
  ["a missing last chunk", [[{ end: { ...END, dropped_bytes: 0, status: null } }]], /bytes of stdout/],
  [
    "a wrong digest",
    [[chunk("line 1\n", 0), { end: { ...END, dropped_bytes: 0, status: null } }]],
    /a digest/,
  ],
];

for (const [what, answers, fault] of STREAMS) {
  Deno.test(`Follower finds ${what}`, async () => {
    await assert.rejects(new Follower(callsOf(...answers), "id", "job", true).ended(), fault);
  });
}

/** Runs a job to its end, and gives its entry with the fact that a client would have then. */
async function ended(place: Place, fact: Fact): Promise<Entry> {
  const name = crypto.randomUUID();
  const request = requestFor(place, name, SHORT_SCRIPTS.echo, ["3"]);
  const { id } = await place.calls.Register(request);
  await finalOf(place.calls, id);
  const final = JSON.stringify(await place.calls.Status({ id }));
  return { name, kind: "echo", code: 3, request, fact, id, final };
}

const FACTS: readonly (readonly [what: string, plant: (place: Place) => Promise<Entry>, fault: RegExp])[] = [
  [
    "a job that is gone",
    async (place) => ({ ...await ended(place, "ENDED"), id: crypto.randomUUID() }),
    /is not there/,
  ],
  ["a removed job that is there", (place) => ended(place, "REMOVED"), /was removed and is there/],
  ["a job that runs without a start", (place) => ended(place, "INITIAL"), /was INITIAL and is EXITED/],
  ["another exit code", async (place) => ({ ...await ended(place, "RUNNING"), code: 4 }), /its end/],
  ["an end that changes", async (place) => ({ ...await ended(place, "ENDED"), final: "{}" }), /its end has changed/],
  ["a second start", async (place) => {
    const entry = await ended(place, "RUNNING");
    await Deno.writeTextFile(`${filesOf(place, entry.name)}.starts`, "1\n", { append: true });
    return entry;
  }, /its starts/],
  ["two jobs of one request", async (place) => {
    const name = crypto.randomUUID();
    const request = requestFor(place, name, SHORT_SCRIPTS.echo, ["3"]);
    await place.calls.Register({ ...request, request_id: crypto.randomUUID() });
    return { name, kind: "echo", code: 3, request, fact: "REGISTERING", id: "" };
  }, /its jobs/],
];

Deno.test("Ledger finds planted faults, and nothing where there is none", async (test) => {
  await using place = await Place.make();
  for (const [what, plant, fault] of FACTS) {
    await test.step(what, async () => {
      const ledger = new Ledger(place);
      ledger.add(await plant(place));
      await assert.rejects(ledger.check(false), fault);
    });
  }
  const ledger = new Ledger(place);
  for (const fact of ["RUNNING", "MAYBE_STARTED", "ENDED", "MAYBE_REMOVED"] as const) {
    ledger.add(await ended(place, fact));
  }
  // The second check removes what had ended, and the third one sees that it is gone.
  for (let count = 0; count < 3; count++) await ledger.check(false);
});

Deno.test("checkProcesses() finds a process of a job that has ended", async () => {
  await using place = await Place.make();
  const { id } = await ended(place, "ENDED");
  await checkProcesses(place);
  const leaked = new Deno.Command("sleep", { args: ["1000"], env: { TELEPORT_ID: id, [MARK]: place.dir } }).spawn();
  // During exec, a process has no environment for a moment.
  await eventually(() => jobProcesses(place.dir).has(id), "the environment of the process");
  await assert.rejects(checkProcesses(place), new RegExp(`Processes ${leaked.pid} belong to job ${id}`));
  leaked.kill("SIGKILL");
  await leaked.status;
});

Deno.test("LongJobs finds a job that was touched: killed, resumed, or started twice", async () => {
  await using place = await Place.make();
  await using jobs = await LongJobs.start(place, "long");
  await jobs.check();
  await place.calls.Resume({ id: jobs.get("paused").id });
  await eventually(async () => await jobs.checkProcesses().then(() => false, () => true), "the job counts");
  await assert.rejects(jobs.checkProcesses(), /long-paused is paused/);
  const { name, pid: slow } = jobs.get("slow");
  await Deno.writeTextFile(`${filesOf(place, name)}.starts`, "1\n", { append: true });
  await assert.rejects(jobs.checkProcesses(), /long-slow: its starts/);
  Deno.kill(slow, "SIGKILL");
  await eventually(
    async () => await jobs.checkProcesses().then(() => false, ({ message }) => /is gone/.test(message)),
    "gone",
  );
});

Deno.test("programsOn() tells a job host from a server by their command lines", async () => {
  const data = `/nowhere/${crypto.randomUUID()}`;
  const spawn = (...args: string[]) =>
    new Deno.Command("sh", { args: ["-c", "read x", ...args], stdin: "piped" }).spawn();
  const host = spawn("host", "run", "--data", data);
  const server = spawn("--data", data);
  // During exec, a process has no command line for a moment.
  await eventually(() => {
    const { servers, hosts } = programsOn(data);
    return servers.length === 1 && hosts.length === 1;
  }, "the programs");
  assert.deepEqual(programsOn(data), { servers: [server.pid], hosts: [host.pid] });
  for (const child of [host, server]) {
    await child.stdin.close();
    await child.status;
  }
  assert.deepEqual(programsOn(data), { servers: [], hosts: [] });
});
