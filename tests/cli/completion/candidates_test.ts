/** Candidates for the last word, from the program and from a scripted server; and silence when there is an error. */
import assert from "node:assert/strict";
import { type Candidate, candidatesFor, type Sources } from "../../../cli/completion/candidates.ts";
import { readLine } from "../../../cli/completion/place.ts";
import { createProgram } from "../../../cli/program.ts";
import type { JobStatus, ListRequest, ListResponse } from "../../../proto/teleport/v1/job_worker.ts";
import { jobStatus } from "../../support/cli_messages.ts";
import { deadline } from "../../support/deadline.ts";
import { FakeIo, teleport, untilAborted } from "../../support/fake_io.ts";

const never = () => Promise.reject(new Error("Nothing is run"));
const program = await createProgram({ call: never, local: never, setup: never }, { stdout() {}, stderr() {} });

const ID = "0f0e0d0c-0b0a-4988-8766-554433221100";
const JOBS = [
  {
    id: ID,
    name: "web-server",
    owner: "ann",
    labels: { team: "blue" },
    state: "STATE_RUNNING",
    command: "sh",
    args: [],
  },
  { id: `1${ID.slice(1)}`, name: "", owner: "bob", labels: {}, state: "STATE_EXITED", command: "true", args: [] },
] as unknown as JobStatus[];

/** Completes a line, and gives the words. */
async function complete(line: string, requests: Partial<ListRequest>[] = []): Promise<string[] | string> {
  const sources: Sources = {
    calls: () =>
      Promise.resolve({
        List(request) {
          requests.push(request as ListRequest);
          return Promise.resolve({ jobs: JOBS } as unknown as ListResponse);
        },
      }),
    contexts: () => Promise.resolve(["lab", "prod"]),
    identities: () => Promise.resolve(["ann"]),
  };
  const found = await candidatesFor(readLine(program, line.split(" ")), sources);
  return typeof found === "string" ? found : found.map(([word]: Candidate) => word);
}

const LINES: [string, string[] | string][] = [
  ["conte", ["context"]],
  ["__", []],
  ["context u", ["use"]],
  ["context use l", ["lab"]],
  ["--context p", ["prod"]],
  ["--context=p", ["--context=prod"]],
  ["--context = p", ["--context=prod"]],
  ["list --identity ", ["ann"]],
  ["list --output js", ["json"]],
  ["list --label ", ["team=blue"]],
  ["list --owner ", ["ann", "bob"]],
  ["run --isolate s", ["strict"]],
  ["run -it --isolat", ["--isolate"]],
  ["run sh -", []],
  ["run -- --iso", []],
  ["stop we", ["web-server"]],
  ["stop 0f", [ID]],
  [`stop ${ID} we`, ["web-server"]],
  [`signal ${ID} TER`, ["TERM"]],
  [`signal ${ID} SIGTER`, ["SIGTERM"]],
  ["login ", "files"],
  ["--certs ", "directories"],
  ["completion ", ["bash", "zsh", "fish"]],
  ["run --engine ", ["local", "slurm"]],
  ["run --engine s", ["slurm"]],
  ["nosuch ", []],
];

for (const [line, words] of LINES) {
  Deno.test(`candidatesFor() completes "${line}"`, async () => {
    assert.deepEqual(await complete(line), words);
  });
}

Deno.test("candidatesFor() asks for unended jobs where only they make sense, and by the beginning of an id", async () => {
  const requests: Partial<ListRequest>[] = [];
  await complete("stop 0f", requests);
  assert.deepEqual(requests.map(({ id_prefix }) => id_prefix), [undefined, "0f"]);
  assert.ok(requests.every(({ states }) => states?.includes("STATE_RUNNING") && !states.includes("STATE_EXITED")));
  const forName: Partial<ListRequest>[] = [];
  await complete("stop db", forName);
  assert.deepEqual(forName.map(({ id_prefix }) => id_prefix), [undefined]);
});

Deno.test("teleport __complete counts no time in which its process gets no processor", async () => {
  const List = async () => {
    for (let turn = 0; turn < 4; turn++) {
      // Blocks this thread, as a busy machine does.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    return { jobs: [jobStatus({ id: "db" })], next_page_token: "" };
  };
  const io = new FakeIo({ List });
  assert.equal(await deadline(teleport(io, "__complete", "--", "stop", ""), "the end of the command"), 0);
  assert.match(io.stdout.text, /^db\t/m);
});

Deno.test("teleport __complete prints nothing without certificates, and when the server refuses or hangs", async () => {
  for (const calls of [{ List: () => Promise.reject(new Error("No")) }, { List: () => untilAborted(undefined) }]) {
    const io = new FakeIo(calls as never);
    assert.equal(await deadline(teleport(io, "__complete", "--", "stop", ""), "the end of the command"), 0);
    assert.equal(io.stdout.text.trim(), io.stdout.text === "" ? "" : ":words");
    assert.equal(io.stderr.text, "");
  }
  const io = new FakeIo();
  assert.equal(await teleport(io, "__complete", "--", "--certs", "/nowhere", "stop", ""), 0);
  assert.deepEqual([io.stdout.text, io.stderr.text], ["", ""]);
});

Deno.test("teleport completion refuses an unknown shell", async () => {
  const io = new FakeIo();
  assert.equal(await teleport(io, "completion", "tcsh"), 2);
  assert.match(io.stderr.text, /Unknown shell "tcsh": give "bash", "zsh" or "fish"/);
});
