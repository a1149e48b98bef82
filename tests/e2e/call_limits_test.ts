/** The limits of one user on a server: calls, streams, requests, unread answers and entries of the audit log. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { methods } from "../../rpc/shared/definition.ts";
import { verifyAudit } from "../../service/audit/verify.ts";
import { deadline, eventually } from "../support/deadline.ts";
import { mostP99Ms, startControl } from "../support/latency.ts";
import { startServer } from "../support/programs.ts";
import { newClient, type RawCall, rawClient, type RawEnd } from "../support/raw_client.ts";
import { clientOf, memoryMiB } from "../support/server_process.ts";
import { tempDir } from "../support/temp_dir.ts";

const PATH = "/teleport.v1.JobWorker/";
const RESOURCE_EXHAUSTED = 8;

/** The largest median of another user's calls on a quiet machine, in milliseconds. The design says so of the p99. */
const MAX_MEDIAN_MS = 250;
/** The calls of another user that are measured. On a busy machine the first one may take seconds. */
const MEASURED = 100;

/** Resolves when a number of calls have ended. */
async function firstEnded(calls: readonly RawCall[], count: number) {
  const ended: RawEnd[] = [];
  const enough = Promise.withResolvers<void>();
  for (const call of calls) {
    void call.ended.then((end) => {
      ended.push(end);
      if (ended.length === count) enough.resolve();
    });
  }
  await deadline(enough.promise, () => `${count} calls to end: ${ended.length} have`);
  return ended;
}

Deno.test("teleportd does not make 200 lists that nobody reads, and delays no other user", async () => {
  await using server = await startServer();
  await using admin = await clientOf(server);
  const args = Array<string>(20).fill("x".repeat(100));
  const { id } = await admin.calls.Register({ command: "true", args });
  for (let count = 0; count < 400; count += 40) {
    await Promise.all(Array.from({ length: 40 }, () => admin.calls.Register({ command: "true", args })));
  }
  const list = methods.List.requestSerialize({ page_size: 1_000 });
  await using control = await startControl();
  const before = memoryMiB(server, "VmRSS");
  const viewer = await newClient(server, "vera", "viewer");
  await using silent = await rawClient({ ...viewer, windowBytes: 0 });
  for (let count = 0; count < 200; count++) silent.call(`${PATH}List`, [list]);
  await using latency = control.watch(admin, id);
  await eventually(() => latency.count >= MEASURED, () => `${MEASURED} calls, of which came ${latency.count}`);
  const found = await latency.result();
  // A busy machine delays the calls of a server without load too.
  assert.ok(found.medianMs < mostP99Ms(MAX_MEDIAN_MS, found), `Status took ${JSON.stringify(found)}`);
  // Without limits, 200 answers of 1 MiB would be in memory twice.
  const growth = memoryMiB(server, "VmRSS") - before;
  assert.ok(growth < 150, `${growth} MiB more`);
  // Another connection of the same user has its own room.
  await using reader = await rawClient(viewer);
  assert.equal((await reader.call(`${PATH}List`, [list]).ended).code, 0);
});

Deno.test("teleportd limits the calls and streams of one user over all connections, and logs it once", async () => {
  await using server = await startServer({ args: ["--max-streams-per-user", "40", "--max-calls-per-user", "10"] });
  await using admin = await clientOf(server);
  const viewer = await newClient(server, "vera", "viewer");
  await using first = await rawClient(viewer);
  await using second = await rawClient(viewer);
  const streams = Array.from({ length: 60 }, (_, index) => {
    return (index % 2 === 0 ? first : second).call(`${PATH}WatchJobs`, [new Uint8Array()]);
  });
  for (const { code, message } of await firstEnded(streams, 20)) {
    assert.equal(code, RESOURCE_EXHAUSTED);
    assert.match(message, /^A user must have at most 40 streams open, over all connections/);
  }
  // Calls whose requests have not ended also count as open.
  const calls = Array.from({ length: 25 }, () => first.call(`${PATH}Status`, [], false));
  for (const { code } of await firstEnded(calls, 15)) assert.equal(code, RESOURCE_EXHAUSTED);
  assert.equal((await admin.calls.List({})).jobs.length, 0);
  const watch = admin.calls.WatchJobs({})[Symbol.asyncIterator]();
  assert.equal((await watch.next()).done, false);
  await watch.return?.();
  await first[Symbol.asyncDispose]();
  // The calls of the first connection no longer count.
  await eventually(
    async () => (await second.call(`${PATH}List`, [new Uint8Array()]).ended).code === 0,
    "a call for which there is room",
  );
});

Deno.test("teleportd limits the bytes of incomplete requests of one user", async () => {
  await using server = await startServer();
  await using admin = await clientOf(server);
  const operator = await newClient(server, "oscar", "operator");
  await using client = await rawClient(operator);
  const before = memoryMiB(server, "VmRSS");
  const megabyte = Buffer.alloc(1_048_576);
  megabyte.writeUInt32BE(2_000_000, 1);
  const calls = Array.from({ length: 60 }, () => {
    const call = client.call(`${PATH}Register`, [], false);
    call.stream.write(megabyte);
    return call;
  });
  for (const { code, message } of await firstEnded(calls, 15)) {
    assert.equal(code, RESOURCE_EXHAUSTED);
    assert.match(message, /^A user must have at most 33554432 bytes of requests open/);
  }
  assert.ok(memoryMiB(server, "VmRSS") - before < 200);
  assert.equal(await admin.health(), "SERVING");
});

Deno.test("teleportd refuses requests above the limits of their fields before it decodes them", async () => {
  await using server = await startServer();
  await using admin = await clientOf(server);
  await using client = await rawClient(await newClient(server, "ada", "admin"));
  const field = (number: number, bytes: Uint8Array | string) => {
    const body = Buffer.from(bytes);
    return Buffer.concat([varint(number * 8 + 2), varint(body.length), body]);
  };
  const times = (count: number, bytes: Uint8Array) => Buffer.concat(Array<Uint8Array>(count).fill(bytes));
  const groups = Buffer.concat([Buffer.alloc(30_000, 0x4b), Buffer.alloc(30_000, 0x4c)]);
  const cases: [what: string, call: string, bytes: Uint8Array, code: number][] = [
    ["states, packed", "List", field(1, Buffer.alloc(200_000, 1)), RESOURCE_EXHAUSTED],
    ["states, one by one", "List", times(100_000, Buffer.from([8, 1])), RESOURCE_EXHAUSTED],
    ["4,000,000 states", "List", field(1, Buffer.alloc(4_000_000, 1)), RESOURCE_EXHAUSTED],
    ["labels", "List", times(1_000, field(3, Buffer.concat([field(1, "k"), field(2, "v")]))), RESOURCE_EXHAUSTED],
    ["a long label", "List", field(3, field(1, "k".repeat(5_000))), RESOURCE_EXHAUSTED],
    ["ids", "WatchJobs", times(3_000, field(9, "x")), RESOURCE_EXHAUSTED],
    [
      "variables",
      "Register",
      Buffer.concat([field(1, "true"), times(9_000, field(3, field(1, "k")))]),
      RESOURCE_EXHAUSTED,
    ],
    ["arguments", "Register", Buffer.concat([field(1, "true"), times(70_000, field(2, ""))]), RESOURCE_EXHAUSTED],
    ["a page token", "List", field(5, "x".repeat(10_000)), RESOURCE_EXHAUSTED],
    ["unknown fields", "Status", times(300, field(99, "")), RESOURCE_EXHAUSTED],
    ["an unknown field", "Register", field(99, Buffer.alloc(100_000)), RESOURCE_EXHAUSTED],
    ["a large message", "Status", field(1, "x".repeat(100_000)), RESOURCE_EXHAUSTED],
    ["a command that is not UTF-8", "Register", field(1, Buffer.from([0x61, 0xff, 0x62])), 3],
    ["an argument that is not UTF-8", "Register", Buffer.concat([field(1, "x"), field(2, Buffer.from([0xff]))]), 3],
    [
      "a variable that is not UTF-8",
      "Register",
      field(3, Buffer.concat([field(1, "k"), field(2, Buffer.from([0xed, 0xa0, 0x80]))])),
      3,
    ],
    ["nested groups", "Status", groups, 3],
    ["a job twice", "CanI", times(2, field(3, field(1, "true"))), 3],
    ["a number for an id", "Status", Buffer.from([8, 1]), 3],
    ["a cut field", "Status", Buffer.from([10, 200]), 3],
    ["field 0", "Status", Buffer.from([2, 0]), 3],
    ["a varint without end", "List", Buffer.alloc(30, 0xff), 3],
  ];
  for (const [what, call, bytes, code] of cases) {
    const end = await client.call(`${PATH}${call}`, [bytes]).ended;
    assert.deepEqual([end.code, end.message !== ""], [code, true], `${what}: ${JSON.stringify(end)}`);
  }
  // The message claims to be compressed but is not.
  const noise = client.session.request({
    ":method": "POST",
    ":path": `${PATH}Status`,
    "content-type": "application/grpc",
    "grpc-encoding": "gzip",
    te: "trailers",
  });
  noise.end(Buffer.from([1, 0, 0, 0, 3, 1, 2, 3]));
  const status = await new Promise((resolve, reject) => {
    noise.once("response", (headers) => resolve(headers["grpc-status"]));
    noise.once("error", reject);
  });
  assert.equal(Number(status), 3);
  noise.close();
  assert.deepEqual((await admin.calls.List({})).jobs, []);
});

Deno.test("a flood of denied calls removes no older audit entries, and every call is counted", async () => {
  await using temporary = await tempDir();
  const dir = temporary.path;

  const sent = 1_000;
  {
    await using server = await startServer({ dir });
    await using client = await rawClient(await newClient(server, "nobody", "nothing"));
    for (let count = 0; count < sent; count += 100) {
      const calls = Array.from({ length: 100 }, () => client.call(`${PATH}Status`, [new Uint8Array()]).ended);
      for (const { code } of await Promise.all(calls)) assert.equal(code, 7);
    }
  }
  const { problems } = await verifyAudit(`${dir}/data/audit`);
  assert.deepEqual(problems, []);
  const lines = (await Deno.readTextFile(`${dir}/data/audit/audit-00000001.jsonl`)).trim().split("\n")
    .map((line) => JSON.parse(line) as { user?: string; text?: string }).filter(({ user }) => user === "nobody");
  const counted = lines.reduce((sum, { text }) => sum + Number(/^(\d+) more /.exec(text ?? "")?.[1] ?? 0), 0);
  const summaries = lines.filter(({ text }) => / more denied calls /.test(text ?? "")).length;
  assert.equal(counted + lines.length - summaries, sent);
  assert.ok(lines.length < 150, `${lines.length} lines`);
});

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 + 128);
  return Buffer.from([...bytes, value]);
}
