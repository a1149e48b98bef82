/** Tests of the commands that make one call, watch a stream or take several ids; `run` and `list` have their own. */
import assert from "node:assert/strict";
import { main } from "../../cli/main.ts";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { exited, FakeCallError, FakeIo, jobStatus, outputOf, running, stream, teleport } from "../support/fake_io.ts";
import { someBytes } from "../support/random.ts";

const killed = jobStatus({ state: "STATE_KILLED", signal: "SIGTERM", reason: "REASON_STOPPED", stopped_by: "ada" });
const notFound = jobStatus({
  state: "STATE_FAILED",
  reason: "REASON_START_FAILED",
  error: 'Command "x" not found',
  error_code: "COMMAND_NOT_FOUND",
});

Deno.test("teleport register sends the job with its options and prints the id alone", async () => {
  let asked: unknown;
  const io = new FakeIo({
    Register: (request) => {
      asked = request;
      return Promise.resolve(jobStatus());
    },
  });
  const options = "-e A=1 --env B=x=y --cwd /tmp -l k=v --label k2= --timeout 1m30s --grace 500ms";
  assert.equal(await teleport(io, "register", ...options.split(" "), "sh", "-c", "exit 3"), 0);
  const { request_id, ...job } = structuredClone(asked) as Record<string, unknown>;
  assert.match(String(request_id), /^[0-9a-f-]{36}$/);
  assert.deepEqual(job, {
    command: "sh",
    args: ["-c", "exit 3"],
    env: { A: "1", B: "x=y" },
    cwd: "/tmp",
    labels: { k: "v", k2: "" },
    timeout_ms: 90_000,
    grace_ms: 500,
  });
  assert.equal(io.stdout.text, "job-1\n");
});

Deno.test("teleport register --output json prints the status", async () => {
  const io = new FakeIo({ Register: () => Promise.resolve(jobStatus()) });
  assert.equal(await teleport(io, "register", "--output", "json", "true"), 0);
  assert.deepEqual(Object.keys(JSON.parse(io.stdout.text)).slice(0, 2), ["id", "state"]);
  assert.equal(JSON.parse(io.stdout.text).state, "INITIAL");
});

Deno.test("teleport start prints every change and exits 0 however the job ended", async () => {
  const io = new FakeIo({ Start: () => stream(jobStatus({ state: "STATE_STARTING" }), running(), exited(7)) });
  assert.equal(await teleport(io, "start", "job-1"), 0);
  assert.equal(io.stdout.text, "STARTING\nRUNNING, pid 4711\nEXITED 7\n");
});

Deno.test("teleport start exits as run would when the job cannot be started", async () => {
  const io = new FakeIo({ Start: () => stream(jobStatus({ state: "STATE_STARTING" }), notFound) });
  assert.equal(await teleport(io, "start", "job-1"), 127);
  assert.equal(io.stdout.text, `STARTING\nFAILED: Command "x" not found\n`);
});

Deno.test("teleport watch prints the status and its changes, as JSON one object a line", async () => {
  const io = new FakeIo({ StatusStream: () => stream(jobStatus(), running(), killed) });
  assert.equal(await teleport(io, "watch", "job-1", "--output", "json"), 0);
  const states = io.stdout.text.trimEnd().split("\n").map((line) => JSON.parse(line).state);
  assert.deepEqual(states, ["INITIAL", "RUNNING", "KILLED"]);
});

Deno.test("teleport watch says by whom and why a job ended", async () => {
  const timedOut = jobStatus({ state: "STATE_KILLED", signal: "SIGKILL", reason: "REASON_TIMED_OUT" });
  const lost = jobStatus({ state: "STATE_LOST", reason: "REASON_LOST", error: "The server died" });
  const io = new FakeIo({ StatusStream: () => stream(killed, timedOut, lost) });
  await teleport(io, "watch", "job-1");
  assert.equal(
    io.stdout.text,
    "KILLED SIGTERM (stopped by ada)\nKILLED SIGKILL (timed out)\nLOST: The server died\n",
  );
});

for (const command of ["start", "watch"]) {
  Deno.test(`teleport ${command} fails when the stream ends without any status`, async () => {
    const io = new FakeIo({ Start: () => stream(), StatusStream: () => stream() });
    assert.equal(await teleport(io, command, "job-1"), 1);
    assert.match(io.stderr.text, /without a status/);
  });
}

Deno.test("teleport watch fails when the stream breaks off, after what came before", async () => {
  async function* broken() {
    yield await Promise.resolve(running());
    throw new FakeCallError("UNAVAILABLE", "Connection lost");
  }
  const io = new FakeIo({ StatusStream: broken });
  assert.equal(await teleport(io, "watch", "--retry-for", "0s", "job-1"), 255);
  assert.equal(io.stdout.text, "RUNNING, pid 4711\n");
  assert.equal(io.stderr.text, "teleport: Connection lost\n");
});

Deno.test("teleport watch gives up on a server that answers and breaks off again and again", async () => {
  async function* broken() {
    yield await Promise.resolve(running());
    throw new FakeCallError("UNAVAILABLE", "Connection lost");
  }
  const io = new FakeIo({ StatusStream: broken });
  assert.equal(await teleport(io, "watch", "--retry-for", "300ms", "job-1"), 255);
  assert.equal(io.stdout.text, "RUNNING, pid 4711\n");
  assert.match(io.stderr.text, /^teleport: Connection lost: trying again for 300ms\nteleport: The server is back\n/);
});

Deno.test("teleport start goes on after an outage, and tells no status twice", async () => {
  let calls = 0;
  const io = new FakeIo({
    async *Start() {
      calls += 1;
      yield running();
      if (calls === 1) throw new FakeCallError("UNAVAILABLE", "Connection lost");
      yield await Promise.resolve(exited(7));
    },
  });
  assert.equal(await teleport(io, "start", "job-1"), 0);
  assert.equal(io.stdout.text, "RUNNING, pid 4711\nEXITED 7\n");
  assert.match(io.stderr.text, /Connection lost: trying again.*\nteleport: The server is back\n$/);
});

Deno.test("teleport start does not try again where no server answered, or with --retry-for 0s", async () => {
  async function* broken(yielding: boolean) {
    if (yielding) yield await Promise.resolve(running());
    throw new FakeCallError("UNAVAILABLE", "Connection lost");
  }
  const never = new FakeIo({ Start: () => broken(false) });
  assert.equal(await teleport(never, "start", "job-1"), 255);
  assert.equal(never.stderr.text, "teleport: Connection lost\n");
  assert.equal(await teleport(new FakeIo({ Start: () => broken(true) }), "start", "--retry-for", "0s", "job-1"), 255);
});

Deno.test("teleport register asks again when the connection was lost, and not when there was none", async () => {
  const failure = (unreachable: string) => Object.assign(new FakeCallError("UNAVAILABLE"), { unreachable });
  const asked: unknown[] = [];
  const io = new FakeIo({
    Register: (request) => {
      asked.push(request);
      if (asked.length === 1) return Promise.reject(failure("LOST"));
      return Promise.resolve(jobStatus());
    },
  });
  assert.equal(await teleport(io, "register", "true"), 0);
  assert.equal(io.stdout.text, "job-1\n");
  assert.equal(asked.length, 2);
  // The same request, so that there is one job.
  assert.deepEqual(asked[1], asked[0]);

  const stranger = new FakeIo({ Register: () => Promise.reject(failure("LOST_OR_REFUSED")) });
  assert.equal(await teleport(stranger, "register", "true"), 255);
  assert.match(stranger.stderr.text, /^teleport: Refused with UNAVAILABLE\n$/);
});

Deno.test("teleport status prints the limit of the output, what becomes of it there, and what was dropped", async () => {
  const limited = (output_policy: JobStatus["output_policy"], dropped_bytes: number) =>
    new FakeIo({
      Status: () => Promise.resolve(jobStatus({ max_output_bytes: 1_000, output_policy, dropped_bytes })),
    });
  const sentences = [
    ["OUTPUT_POLICY_STOP", "then the job is stopped"],
    ["OUTPUT_POLICY_KEEP_NEWEST", "of which the newest are kept"],
    ["OUTPUT_POLICY_BLOCK", "then the job waits"],
  ] as const;
  for (const [policy, sentence] of sentences) {
    const io = limited(policy, 42);
    assert.equal(await teleport(io, "status", "job-1"), 0);
    assert.match(io.stdout.text, new RegExp(`^Output limit: 1000 bytes, ${sentence}\nDropped: +42 bytes$`, "m"));
  }
  const whole = limited("OUTPUT_POLICY_STOP", 0);
  await teleport(whole, "status", "job-1");
  assert.doesNotMatch(whole.stdout.text, /Dropped/);
});

Deno.test("teleport watch goes on after an outage, and tells no status twice", async () => {
  let calls = 0;
  const io = new FakeIo({
    async *StatusStream() {
      calls += 1;
      yield running();
      if (calls === 1) throw new FakeCallError("UNAVAILABLE", "Connection lost");
      yield await Promise.resolve(exited(7));
    },
  });
  assert.equal(await teleport(io, "watch", "job-1"), 0);
  assert.equal(io.stdout.text, "RUNNING, pid 4711\nEXITED 7\n");
  assert.match(io.stderr.text, /Connection lost: trying again.*\nteleport: The server is back\n$/);
});

Deno.test("teleport status prints all that is known, safe for a terminal", async () => {
  const io = new FakeIo({
    Status: () =>
      Promise.resolve({
        ...exited(0),
        command: "sh",
        args: ["-c", "echo \x1b[2J"],
        cwd: "/tmp",
        labels: { a: "b", c: "\x07" },
        timeout_ms: 60_000,
        started_at: { seconds: 1_800_000_001, nanos: 0 },
        ended_at: { seconds: 1_800_000_002, nanos: 0 },
        stdout_bytes: 12,
      }),
  });
  assert.equal(await teleport(io, "status", "job-1"), 0);
  assert.equal(
    io.stdout.text,
    [
      "Id:         job-1",
      "State:      EXITED 0",
      "Command:    sh -c $'echo \\x1b[2J'",
      "Directory:  /tmp",
      "Owner:      ada",
      "Labels:     a=b, c=\\x07",
      "Time limit: 1m",
      "Registered: 2027-01-15T08:00:00Z",
      "Started:    2027-01-15T08:00:01Z",
      "Ended:      2027-01-15T08:00:02Z",
      "Stdout:     12 bytes",
      "Stderr:     0 bytes",
      "",
    ].join("\n"),
  );
});

Deno.test("teleport signal sends the name as it was typed and prints nothing", async () => {
  let asked: unknown;
  const io = new FakeIo({
    Signal: (request) => {
      asked = request;
      return Promise.resolve(running());
    },
  });
  assert.equal(await teleport(io, "signal", "job-1", "hup"), 0);
  assert.deepEqual(asked, { id: "job-1", signal: "hup" });
  assert.equal(io.stdout.text, "");
  assert.equal(await teleport(io, "--output", "json", "signal", "job-1", "9"), 0);
  assert.equal(JSON.parse(io.stdout.text).state, "RUNNING");
});

Deno.test("teleport stop sends the grace period only when it was given, and prints how the job ended", async () => {
  const asked: unknown[] = [];
  const io = new FakeIo({
    Stop: (request) => {
      asked.push(request);
      return Promise.resolve(killed);
    },
  });
  assert.equal(await teleport(io, "stop", "job-1"), 0);
  assert.equal(await teleport(io, "stop", "--grace", "0s", "job-1"), 0);
  assert.deepEqual(asked, [{ id: "job-1", grace_ms: undefined }, { id: "job-1", grace_ms: 0 }]);
  assert.equal(io.stdout.text, "job-1 KILLED SIGTERM (stopped by ada)\n".repeat(2));
});

Deno.test("teleport stop stops several jobs at once and tells in their order", async () => {
  const slow = Promise.withResolvers<void>();
  const io = new FakeIo({
    Stop: async ({ id }) => {
      // The first ends only when the second was asked for: one after the other would wait for ever.
      if (id === "a") await slow.promise;
      else slow.resolve();
      return { ...exited(0), id: id ?? "" };
    },
  });
  assert.equal(await teleport(io, "stop", "a", "b"), 0);
  assert.equal(io.stdout.text, "a EXITED 0\nb EXITED 0\n");
});

Deno.test("teleport rm removes what it can and tells of the rest", async () => {
  const io = new FakeIo({
    Remove: ({ id }) =>
      id === "b" ? Promise.reject(new FakeCallError("FAILED_PRECONDITION", "Job b runs")) : Promise.resolve({}),
  });
  assert.equal(await teleport(io, "rm", "a", "b", "c"), 1);
  assert.equal(io.stdout.text, "a\nc\n");
  assert.equal(io.stderr.text, "teleport: Job b runs\n");
});

Deno.test("teleport rm of more jobs than calls at once removes all of them", async () => {
  let open = 0;
  let most = 0;
  const io = new FakeIo({
    Remove: async () => {
      open += 1;
      most = Math.max(most, open);
      await Promise.resolve();
      open -= 1;
      return {};
    },
  });
  const ids = Array.from({ length: 100 }, (_, index) => `job-${index}`);
  assert.equal(await teleport(io, "rm", ...ids), 0);
  assert.deepEqual(io.stdout.text.trimEnd().split("\n"), ids);
  assert.equal(most, 32);
});

Deno.test("teleport rm exits 255 when the server cannot be reached", async () => {
  const io = new FakeIo({ Remove: () => Promise.reject(new FakeCallError("UNAVAILABLE")) });
  assert.equal(await teleport(io, "rm", "a"), 255);
});

for (const [args, follow] of [[["logs"], false], [["logs", "-f"], true], [["logs", "--follow"], true]] as const) {
  Deno.test(`teleport ${args.join(" ")} writes each stream to its own descriptor, byte for byte`, async () => {
    const out = someBytes(1000);
    const messages = await outputOf([["stdout", out], ["stderr", "e\0\n"], ["stdout", "no newline"]], exited(7));
    const asked: unknown[] = [];
    const io = new FakeIo({
      GetOutput: (request) => {
        asked.push(request);
        return stream(...messages);
      },
    });
    assert.equal(await teleport(io, ...args, "job-1"), 0);
    assert.deepEqual(asked, [{ id: "job-1", follow, ...(follow ? { heartbeat_ms: 30_000 } : {}) }]);
    assert.deepEqual(io.stdout.bytes, new Uint8Array([...out, ...new TextEncoder().encode("no newline")]));
    assert.equal(io.stderr.text, "e\0\n");
  });
}

Deno.test("teleport logs --output json prints every piece and the closing record, one a line", async () => {
  const messages = await outputOf([["stderr", "hi"]], exited(0));
  const io = new FakeIo({ GetOutput: () => stream(...messages) });
  assert.equal(await teleport(io, "logs", "--output", "json", "job-1"), 0);
  const [piece, end] = io.stdout.text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual([piece.stream, atob(piece.data)], ["STDERR", "hi"]);
  assert.equal(end.end.stderr_bytes, 2);
  assert.equal(io.stderr.text, "");
});

Deno.test("teleport logs fails when the output was altered", async () => {
  const [piece, end] = await outputOf([["stdout", "hi"]], exited(0));
  const io = new FakeIo({ GetOutput: () => stream({ ...piece!, data: new TextEncoder().encode("ho") }, end!) });
  assert.equal(await teleport(io, "logs", "job-1"), 1);
  assert.match(io.stderr.text, /^teleport: Output was altered on its way/);
});

Deno.test("teleport logs says when bytes were dropped", async () => {
  const [end] = await outputOf([], exited(0));
  const io = new FakeIo({ GetOutput: () => stream({ ...end!, end: { ...end!.end!, dropped_bytes: 5 } }) });
  assert.equal(await teleport(io, "logs", "job-1"), 0);
  assert.match(io.stderr.text, /log of this output lacks 5 bytes: an output limit or a full disk dropped them/);
});

Deno.test("teleport logs tells of a gap where it is, and brings what is left", async () => {
  const [, second, end] = await outputOf([["stdout", "old"], ["stdout", "new"]], exited(0));
  const gap = { ...second!, data: new Uint8Array(), dropped_bytes: 3 };
  const io = new FakeIo({ GetOutput: () => stream(gap, second!, end!) });
  assert.equal(await teleport(io, "logs", "job-1"), 0);
  assert.equal(io.stdout.text, "new");
  assert.equal(io.stderr.text, "teleport: 3 bytes of stdout are missing here: its output limit dropped them\n");
});

const testdata = new URL("testdata", import.meta.url).pathname;

Deno.test("teleport whoami tells the identity from its certificate and asks no server", async () => {
  const io = new FakeIo();
  assert.equal(await main(["whoami", "--certs", testdata, "--identity", "ada"], {}, io), 0);
  assert.equal(
    io.stdout.text,
    [
      "Identity:    ada",
      "User:        ada",
      "Roles:       operator, viewer",
      "Expires:     2126-10-31T08:43:21Z",
      "Fingerprint: 50102b7369bbe1db5ddbd11f963011c6750125de33f236c6845057659f0cdc3b",
      "Address:     127.0.0.1:50051",
      "",
    ].join("\n"),
  );
  assert.equal(io.connections.length, 0);
});

Deno.test("teleport whoami says when the certificate has expired; as JSON a single role is a list", async () => {
  const io = new FakeIo();
  assert.equal(await main(["whoami", "--certs", testdata, "--identity", "expired"], {}, io), 0);
  assert.match(io.stdout.text, /^Expires: {5}2020-01-02T00:00:00Z \(expired\)$/m);
  const json = new FakeIo();
  assert.equal(await main(["whoami", "--certs", testdata, "--identity", "expired", "--output", "json"], {}, json), 0);
  const me = JSON.parse(json.stdout.text);
  assert.deepEqual([me.identity, me.user, me.roles, me.expires_at], [
    "expired",
    "old",
    ["operator"],
    "2020-01-02T00:00:00Z",
  ]);
});

Deno.test("teleport whoami says so when the file is no certificate, and exits 255", async () => {
  const io = new FakeIo();
  assert.equal(await teleport(io, "whoami"), 255);
  assert.match(io.stderr.text, /admin\.crt": the file is not a certificate in PEM/);
});

Deno.test("teleport whoami warns of an authority that has ended", async () => {
  const dir = await Deno.makeTempDir({ prefix: "teleport_cli_" });
  try {
    await Deno.copyFile(`${testdata}/ada.crt`, `${dir}/ada.crt`);
    // A byte order mark, as some editors leave it.
    await Deno.writeTextFile(`${dir}/ca.crt`, `\u{feff}${await Deno.readTextFile(`${testdata}/expired.crt`)}`);
    const io = new FakeIo();
    assert.equal(await main(["whoami", "--certs", dir, "--identity", "ada", "--output", "json"], {}, io), 0);
    assert.match(
      io.stderr.text,
      /^teleport: The authority "CN=old, O=operator" ended on 2020-01-02: ask for a new ca\.crt/m,
    );
    assert.deepEqual(JSON.parse(io.stdout.text).authorities_expire_at, ["2020-01-02T00:00:00Z"]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
