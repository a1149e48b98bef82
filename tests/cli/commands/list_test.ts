/** `teleport list`: its table, filters and pages. */
import assert from "node:assert/strict";
import type { JobWorkerClient } from "../../../proto/service.ts";
import { exited, jobStatus, running } from "../../support/cli_messages.ts";
import { FakeIo, teleport } from "../../support/fake_io.ts";

type ListRequest = Parameters<JobWorkerClient["List"]>[0];

/** A server with a number of jobs, newest first, a hundred per page. */
function pages(count: number) {
  const asked: ListRequest[] = [];
  const List: JobWorkerClient["List"] = (request) => {
    asked.push(request);
    const from = Number(request.page_token || "0");
    const to = Math.min(from + (request.page_size || 100), count);
    const jobs = Array.from({ length: to - from }, (_, index) => jobStatus({ id: `job-${from + index}` }));
    return Promise.resolve({ jobs, next_page_token: to < count ? String(to) : "" });
  };
  return { asked, io: new FakeIo({ List }) };
}

Deno.test("teleport list prints a table of the jobs, safe for a terminal", async () => {
  const jobs = [
    {
      ...running(),
      id: "job-long-id",
      name: "web",
      labels: { a: "b", c: "" },
      command: "sh",
      args: ["-c", "echo \x1b[2J", "x".repeat(100)],
    },
    { ...exited(7), owner: "grace" },
  ];
  const io = new FakeIo({ List: () => Promise.resolve({ jobs, next_page_token: "" }) });
  assert.equal(await teleport(io, "list", "--absolute"), 0);
  assert.equal(
    io.stdout.text,
    [
      "ID           NAME  STATE     OWNER  REGISTERED            STARTED  RAN  LABELS  COMMAND",
      `job-long-id  web   RUNNING   ada    2027-01-15T08:00:00Z                a=b,c=  sh -c $'echo \\x1b[2J' ${
        "x".repeat(100)
      }`,
      "job-1              EXITED 7  grace  2027-01-15T08:00:00Z                        true",
      "",
    ].join("\n"),
  );
});

Deno.test("teleport list colours the states on a terminal and keeps the columns", async () => {
  const io = new FakeIo({ List: () => Promise.resolve({ jobs: [running(), exited(7)], next_page_token: "" }) });
  io.stdout.terminal = true;
  assert.equal(await teleport(io, "list"), 0);
  const [head, first, second] = io.stdout.text.split("\n");
  assert.ok(first?.includes("\x1b[32mRUNNING\x1b[39m"), String(first));
  assert.ok(second?.includes("\x1b[31mEXITED 7\x1b[39m"), String(second));
  // deno-lint-ignore no-control-regex
  const plain = (text = "") => text.replace(/\x1b\[\d+m/g, "");
  assert.equal(plain(first).indexOf("ada"), head?.indexOf("OWNER"));
  assert.equal(plain(second).indexOf("ada"), head?.indexOf("OWNER"));
});

Deno.test("teleport list without jobs prints only the head; as ids and JSON it prints nothing", async () => {
  const { io } = pages(0);
  assert.equal(await teleport(io, "list"), 0);
  assert.equal(io.stdout.text, "ID  NAME  STATE  OWNER  AGE  RAN  LABELS  COMMAND\n");
  const other = pages(0).io;
  assert.equal(await teleport(other, "list", "-q"), 0);
  assert.equal(await teleport(other, "list", "--output", "json"), 0);
  assert.equal(other.stdout.text, "");
});

Deno.test("teleport list sends the filters", async () => {
  const { asked, io } = pages(1);
  const args = ("--state running,EXITED --state lost --owner ada --label a=b -l c=d --command make " +
    "--since 2027-01-15T08:00:00Z --until 2027-01-15T08:00:01.5Z --sort ended -r " +
    "--ended-since 2027-01-15T08:00:02Z --ended-until 2027-01-15T08:00:03Z").split(" ");
  assert.equal(await teleport(io, "list", ...args), 0);
  assert.deepEqual(structuredClone(asked), [{
    states: ["STATE_RUNNING", "STATE_EXITED", "STATE_LOST"],
    owner: "ada",
    labels: { a: "b", c: "d" },
    command: "make",
    registered_since: { seconds: 1_800_000_000, nanos: 0 },
    registered_until: { seconds: 1_800_000_001, nanos: 500_000_000 },
    ended_since: { seconds: 1_800_000_002, nanos: 0 },
    ended_until: { seconds: 1_800_000_003, nanos: 0 },
    order: "LIST_ORDER_ENDED",
    oldest_first: true,
    page_size: 100,
    page_token: "",
  }]);
});

Deno.test("teleport list fetches all pages", async () => {
  const { asked, io } = pages(250);
  assert.equal(await teleport(io, "list", "-q"), 0);
  assert.deepEqual(io.stdout.text.trimEnd().split("\n"), Array.from({ length: 250 }, (_, index) => `job-${index}`));
  assert.deepEqual(asked.map((request) => request.page_token), ["", "100", "200"]);
});

Deno.test("teleport list --limit requests only that number and stops", async () => {
  const { asked, io } = pages(1000);
  assert.equal(await teleport(io, "list", "-q", "--limit", "130"), 0);
  assert.equal(io.stdout.text.trimEnd().split("\n").length, 130);
  assert.deepEqual(asked.map((request) => request.page_size), [100, 30]);
});

Deno.test("teleport list --limit prints only that number when the server sends more", async () => {
  const jobs = [jobStatus({ id: "a" }), jobStatus({ id: "b" }), jobStatus({ id: "c" })];
  const io = new FakeIo({ List: () => Promise.resolve({ jobs, next_page_token: "x" }) });
  assert.equal(await teleport(io, "list", "-q", "-n", "2"), 0);
  assert.equal(io.stdout.text, "a\nb\n");
});

Deno.test("teleport list --output json prints a page before it requests the next", async () => {
  const { asked, io } = pages(200);
  const write = io.stdout.write.bind(io.stdout);
  const askedAt: number[] = [];
  io.stdout.write = (data) => {
    askedAt.push(asked.length);
    return write(data);
  };
  assert.equal(await teleport(io, "list", "--output", "json"), 0);
  assert.equal(askedAt[99], 1);
  assert.equal(askedAt[100], 2);
  const lines = io.stdout.text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.equal(lines.length, 200);
  assert.equal(lines[199].id, "job-199");
});

Deno.test("teleport ls is teleport list, and teleport ps lists the jobs that run", async () => {
  const { asked, io } = pages(1);
  assert.equal(await teleport(io, "ls", "-q"), 0);
  assert.equal(await teleport(io, "ps", "-q"), 0);
  assert.equal(await teleport(io, "ps", "-aq"), 0);
  assert.equal(await teleport(io, "ps", "-q", "--state", "lost", "-l", "a=b"), 0);
  assert.equal(io.stdout.text, "job-0\n".repeat(4));
  const running = ["STATE_STARTING", "STATE_RUNNING", "STATE_STOPPING"];
  assert.deepEqual(asked.map(({ states }) => states), [[], running, [], ["STATE_LOST"]]);
  assert.deepEqual({ ...asked[3]?.labels }, { a: "b" });
});

Deno.test("teleport list prints names, YAML and templates", async () => {
  for (
    const [format, text] of [["name", "job-0\njob-1\n"], [
      "template={{state}} {{id}}",
      "INITIAL job-0\nINITIAL job-1\n",
    ]]
  ) {
    const { io } = pages(2);
    assert.equal(await teleport(io, "list", "-o", format!), 0);
    assert.equal(io.stdout.text, text);
  }
  const { io } = pages(2);
  assert.equal(await teleport(io, "list", "-o", "yaml"), 0);
  assert.match(io.stdout.text, /^id: job-0\nstate: INITIAL\n[^]*\n---\nid: job-1\n/);
  const refused = pages(2);
  assert.equal(await teleport(refused.io, "list", "-o", "template={{"), 2);
  assert.deepEqual([refused.asked.length, refused.io.connections.length], [0, 0]);
});
