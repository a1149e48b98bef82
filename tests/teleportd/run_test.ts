/** A server inside the process of the test: it starts, serves, reloads and ends, and leaves nothing. */
import assert from "node:assert/strict";
import type { LogFields, Logger } from "../../base/logger.ts";
import { initDirectory } from "../../certs/init.ts";
import { connect, type RpcClient } from "../../rpc/client/client.ts";
import { parseFlags } from "../../teleportd/flags.ts";
import { type ListeningServer, run, type RunControls } from "../../teleportd/run.ts";
import { StartError } from "../../teleportd/start_error.ts";
import { deadline, eventually } from "../support/deadline.ts";
import { tempDir } from "../support/temp_dir.ts";

const SECRET = "a-secret-value";

/** A log in memory. */
class MemoryLog implements Logger {
  readonly lines: string[] = [];
  #wake = Promise.withResolvers<void>();

  error = (message: string, fields?: LogFields) => this.#add("error", message, fields);
  warn = (message: string, fields?: LogFields) => this.#add("warn", message, fields);
  info = (message: string, fields?: LogFields) => this.#add("info", message, fields);
  debug = (message: string, fields?: LogFields) => this.#add("debug", message, fields);

  #add(level: string, message: string, fields: LogFields = {}): void {
    this.lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  /** Waits for a line. */
  async says(wanted: RegExp): Promise<void> {
    const seen = (async () => {
      while (!this.lines.some((line) => wanted.test(line))) await this.#wake.promise;
    })();
    await deadline(seen, () => `${wanted} in the log: ${this.lines.join("\n")}`);
  }
}

/** A directory with certificates, and a function that starts servers with them. */
async function makePlace() {
  const dir = await tempDir();
  const certs = `${dir.path}/certs`;
  await initDirectory({ dir: certs, hosts: ["127.0.0.1"] });
  const start = (data: string, args: readonly string[] = [], more: Partial<RunControls> = {}) => {
    const abort = new AbortController();
    const log = new MemoryLog();
    const listening = Promise.withResolvers<ListeningServer>();
    const flags = parseFlags(
      ["--listen", "127.0.0.1:0", "--certs", certs, "--data", `${dir.path}/${data}`, "--cgroup", "off", ...args],
      "1.2.3",
      { stdout: () => {}, stderr: () => {} },
    );
    const environment = { version: "1.2.3", env: { PATH: "/usr/bin:/bin" }, environment: () => ({ SECRET }) };
    const ended = run({ flags, environment }, {
      signal: abort.signal,
      log,
      listening: listening.resolve,
      ...more,
    });
    ended.catch(() => {});
    return {
      log,
      abort,
      ended,
      /** Resolves when the server takes calls; rejects when it ends before. */
      listening: () =>
        deadline(
          Promise.race([listening.promise, ended.then(() => Promise.reject(new Error("It ended before it served")))]),
          "a server that takes calls",
        ),
      async stop(): Promise<number> {
        abort.abort();
        return await deadline(ended, () => `the end of a server that said: ${log.lines.join("\n")}`);
      },
    };
  };
  return { path: dir.path, certs, start, [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
}

async function clientOf(certs: string, address: string): Promise<RpcClient> {
  const read = (name: string) => Deno.readTextFile(`${certs}/${name}`);
  const [ca, cert, key] = await Promise.all([read("ca.crt"), read("admin.crt"), read("admin.key")]);
  return connect({ address, credentials: { ca, cert, key } });
}

/** Runs a job and returns its exit code. */
async function runJob(certs: string, address: string, ...args: string[]): Promise<number | undefined> {
  await using client = await clientOf(certs, address);
  const { id } = await client.calls.Register({ command: "sh", args: ["-c", ...args], env: { PASSWORD: SECRET } });
  let last;
  for await (const status of client.calls.Start({ id })) last = status;
  return last?.exit_code;
}

/** Returns the open files below a directory. Resources of the runtime itself are not counted. */
function openFiles(directory: string): string[] {
  return [...Deno.readDirSync("/proc/self/fd")].flatMap(({ name }) => {
    try {
      const path = Deno.readLinkSync(`/proc/self/fd/${name}`);
      return path.startsWith(`${directory}/`) ? [path] : [];
    } catch {
      return []; // The descriptor of this list itself.
    }
  }).sort();
}

Deno.test("run() serves until its signal aborts, resolves to 0, and logs no secret", async () => {
  await using place = await makePlace();
  const server = place.start("data", ["--log-level", "debug", "--inherit-env", "SECRET"]);
  const { address } = await server.listening();
  assert.match(address, /^127\.0\.0\.1:[1-9]\d*$/);
  assert.equal(await runJob(place.certs, address, "exit 3"), 3);
  {
    await using client = await clientOf(place.certs, address);
    const info = await client.calls.Info({});
    assert.equal(info.version, "1.2.3");
    assert.ok(Number(info.uptime_ms) < 60_000, "the uptime is the server's, not the process's");
  }
  assert.equal(await server.stop(), 0);
  const log = server.log.lines.join("\n");
  assert.match(log, /^info Stopping: /m);
  assert.match(log, /^debug Call \/teleport\.v1\.JobWorker\/Register ended with OK after \d+ ms /m);
  assert.doesNotMatch(log, new RegExp(SECRET));
  assert.doesNotMatch(log, /PRIVATE KEY|^error/m);
});

Deno.test("run() serves twice in one process, and a third time after both have ended", async () => {
  await using place = await makePlace();
  const servers = [place.start("one"), place.start("two")];
  const addresses = [];
  for (const server of servers) addresses.push((await server.listening()).address);
  assert.equal(new Set(addresses).size, 2);
  const codes = await Promise.all(addresses.map((address, index) => runJob(place.certs, address, `exit ${index}`)));
  assert.deepEqual(codes, [0, 1]);
  assert.equal(await servers[0]!.stop(), 0);
  assert.equal(await runJob(place.certs, addresses[1]!, "exit 5"), 5, "the end of one leaves the other");
  assert.equal(await servers[1]!.stop(), 0);
  assert.deepEqual(openFiles(place.path), []);
  const third = place.start("one");
  const { address } = await third.listening();
  await using client = await clientOf(place.certs, address);
  const { jobs } = await client.calls.List({});
  assert.equal(jobs.length, 1, "the third server has the jobs of the first");
  await client[Symbol.asyncDispose]();
  assert.equal(await third.stop(), 0);
  assert.deepEqual(openFiles(place.path), []);
});

Deno.test("run() rejects with a StartError and gives back what it had opened", async () => {
  await using place = await makePlace();
  const first = place.start("data");
  const { address } = await first.listening();
  let before: string[] | undefined;
  const cases: readonly (readonly [string, readonly string[], StartError["code"], RegExp])[] = [
    ["data", [], "FAILED", /^Cannot use the data directory ".*\/data": process \d+ has it open/],
    ["other", ["--listen", address], "FAILED", /^Cannot listen on /],
    ["other", ["--listen", "nowhere"], "USAGE", /address/],
    ["other", ["--certs", `${place.path}/none`], "FAILED", /not found: make certificates with certs init/],
    ["other", ["--policy", `${place.path}/none.json`], "FAILED", /none\.json/],
    ["other", ["--metrics", "0.0.0.0:0"], "FAILED", /loopback/],
    ["other", ["--cgroup", "/no/such/cgroup"], "FAILED", /^Cannot make cgroups for jobs/],
  ];
  for (const [data, args, code, message] of cases) {
    const failed = place.start(data, args);
    await assert.rejects(deadline(failed.ended, "a start error"), (error) => {
      assert.ok(error instanceof StartError, String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      return true;
    });
    // Deno holds a second descriptor of a file during a write or a sync.
    const isWriting = () => openFiles(place.path).filter((path) => path.endsWith(".jsonl")).length > 1;
    await eventually(() => !isWriting(), "the end of the writes to the audit log");
    // SQLite keeps one descriptor of the first refused database until the first server closes its own.
    before ??= openFiles(place.path);
    assert.deepEqual(openFiles(place.path), before, `open files after ${args.join(" ")}`);
  }
  assert.equal(await runJob(place.certs, address, "exit 4"), 4, "the first server still serves");
  assert.equal(await first.stop(), 0);
  assert.deepEqual(openFiles(place.path), []);
});

Deno.test("run() resolves to 0 without serving when its signal aborts during the start", async () => {
  await using place = await makePlace();
  // The start reads, writes and waits at many places. Each of them gets its turn.
  for (const afterMs of [0, 1, 2, 5, 10, 20, 40, 80]) {
    const server = place.start("data");
    if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
    assert.equal(await server.stop(), 0, `aborted after ${afterMs} ms`);
  }
  const aborted = place.start("fresh", [], { signal: AbortSignal.abort() });
  assert.equal(await deadline(aborted.ended, "the end of a server whose signal had aborted"), 0);
  assert.doesNotMatch(aborted.log.lines.join("\n"), /Stopping|^error/m);
  const last = place.start("data");
  await last.listening();
  assert.equal(await last.stop(), 0);
});

Deno.test("run() reloads on request and when a file changes", async () => {
  await using place = await makePlace();
  const policy = `${place.path}/policy.json`;
  await Deno.writeTextFile(policy, '{ "roles": {} }');
  const server = place.start("data", ["--policy", policy, "--log-level", "debug"]);
  const { reload } = await server.listening();
  await server.log.says(/^debug Read the policy again: no change/);
  await Deno.writeTextFile(`${policy}.new`, '{ "roles": { "admin": [] } }');
  await Deno.rename(`${policy}.new`, policy);
  reload();
  await server.log.says(/^info Reloaded the policy \{"part":"policy"\}$/);
  await Deno.writeTextFile(`${policy}.new`, "{");
  await Deno.rename(`${policy}.new`, policy);
  await server.log.says(/^error Cannot reload the policy, the previous version stays in force: /);
  assert.equal(await server.stop(), 0);
});

Deno.test("run() kills jobs when hurry aborts", async () => {
  await using place = await makePlace();
  const hurry = new AbortController();
  // The grace period is longer than the deadline of stop().
  const server = place.start("data", ["--shutdown-grace", "1h"], { hurry: hurry.signal });
  const { address } = await server.listening();
  await using client = await clientOf(place.certs, address);
  const script = "trap '' TERM; echo up; while :; do sleep 0.01; done";
  const { id } = await client.calls.Register({ command: "sh", args: ["-c", script] });
  for await (const { state } of client.calls.Start({ id })) if (state === "STATE_RUNNING") break;
  for await (const _ of client.calls.GetOutput({ id })) break;
  await client[Symbol.asyncDispose]();
  server.abort.abort();
  hurry.abort();
  assert.equal(await server.stop(), 0);
});

Deno.test("run() ends when only hurry aborts", async () => {
  await using place = await makePlace();
  const hurry = new AbortController();
  const server = place.start("data", [], { hurry: hurry.signal });
  const { address } = await server.listening();
  assert.equal(await runJob(place.certs, address, "exit 2"), 2);
  hurry.abort();
  assert.equal(await deadline(server.ended, "the end of the server"), 0);
  assert.deepEqual(openFiles(place.path), []);
});
