/** `teleport register`: its request, its answer, and a lost connection. */
import assert from "node:assert/strict";
import { jobStatus, running } from "../../support/cli_messages.ts";
import { FakeCallError, FakeIo, teleport } from "../../support/fake_io.ts";
import { stream } from "../../support/streams.ts";
import type { JobRequest } from "../../../proto/teleport/v1/job_worker.ts";
import type { jobRequest } from "../../../cli/options/job_options.ts";
import { FakeJob } from "../../support/fake_job.ts";

Deno.test("teleport register sends the job with its options and prints only the id", async () => {
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

const ALL = ["--memory=100m", "--cpus=1.5", "--pids=20", "--read-rate=1MB", "--write-rate=2MB", "--io-path=/data"];
const LIMITS = {
  memory_bytes: 104_857_600,
  cpus: 1.5,
  processes: 20,
  read_bytes_per_s: 1_000_000,
  write_bytes_per_s: 2_000_000,
  io_path: "/data",
};

async function registered(...options: string[]): Promise<unknown> {
  let request: Partial<JobRequest> = {};
  const io = new FakeIo({
    Register: (asked) => {
      request = asked as JobRequest;
      return Promise.resolve(jobStatus());
    },
  });
  assert.equal(await teleport(io, "register", ...options, "true"), 0, io.stderr.text);
  return request.cgroup_limits;
}

Deno.test("teleport register sends the limits of its flags, and no field without a flag", async () => {
  assert.deepEqual(await registered(...ALL), LIMITS);
  assert.deepEqual(await registered("--cpus", ".5"), { cpus: 0.5 });
  assert.equal(await registered(), undefined);
});

Deno.test("teleport register refuses limits that are not valid", async () => {
  const cases: readonly (readonly [string[], RegExp])[] = [
    [["--memory", "much"], /Invalid value "much" for --memory: give a size from 1 MiB, such as "100MB" or "1GiB"$/m],
    [["--memory", "0"], /Invalid value "0" for --memory: give a size from 1 MiB, such as "100MB" or "1GiB"$/m],
    [["--cpus", "0"], /Invalid value "0" for --cpus: give a number from 0.01 to 65536/],
    [["--cpus", "-1"], /--cpus/],
    [["--cpus", "1e3"], /"1e3" for --cpus/],
    [["--cpus", ""], /"" for --cpus/],
    [["--pids", "0"], /Invalid value "0" for --pids: give an integer from 1 to/],
    [["--pids", "1.5"], /"1.5" for --pids/],
    [["--read-rate", "fast"], /--read-rate/],
    [["--write-rate", ""], /--write-rate/],
    [["--io-path", "/data"], /Cannot use --io-path alone: give --read-rate or --write-rate too$/m],
    [["--io-path", "/data", "--memory", "1g"], /Cannot use --io-path alone/],
  ];
  for (const [options, message] of cases) {
    const io = new FakeIo({});
    assert.equal(await teleport(io, "register", ...options, "true"), 2, options.join(" "));
    assert.match(io.stderr.text, message);
  }
});

Deno.test("teleport register accepts a template in place of a command", async () => {
  const asked: object[] = [];
  const io = new FakeIo({
    Register: (request) => {
      asked.push(request);
      return Promise.resolve(jobStatus({ id: "job-9" }));
    },
  });
  assert.equal(await teleport(io, "register", "--template", "deploy", "--param", "a=b=c", "--param", "__proto__=x"), 0);
  const { template, parameters, command } = asked[0] as ReturnType<typeof jobRequest>;
  assert.deepEqual([template, Object.entries(parameters!), command], [
    "deploy",
    [["a", "b=c"], ["__proto__", "x"]],
    "",
  ]);
});

Deno.test("teleport register retries when the connection was lost, and not when there was none", async () => {
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
  // The same request: the server registers one job.
  assert.deepEqual(asked[1], asked[0]);

  const stranger = new FakeIo({ Register: () => Promise.reject(failure("LOST_OR_REFUSED")) });
  assert.equal(await teleport(stranger, "register", "true"), 255);
  assert.match(stranger.stderr.text, /^teleport: Refused with UNAVAILABLE\n$/);
});

for (const args of [["register", "true"], ["run", "-d", "true"]]) {
  Deno.test(`teleport ${args.join(" ")} retries with the same request id when the connection was lost`, async () => {
    const ids: unknown[] = [];
    const io = new FakeIo({
      Register: ({ request_id }) => {
        ids.push(request_id);
        if (ids.length > 1) return Promise.resolve(jobStatus());
        return Promise.reject(Object.assign(new FakeCallError("UNAVAILABLE"), { unreachable: "LOST" }));
      },
      Start: () => stream(running()),
    });
    assert.equal(await teleport(io, ...args), 0);
    assert.equal(ids.length, 2);
    assert.match(String(ids[0]), /^[0-9a-f-]{36}$/);
    assert.equal(ids[0], ids[1]);
    assert.equal(io.stdout.text, "job-1\n");
  });
}

Deno.test("teleport register does not retry without a server, or after a refusal", async () => {
  for (
    const error of [new FakeCallError("UNAVAILABLE", "nothing listens there"), new FakeCallError("PERMISSION_DENIED")]
  ) {
    let calls = 0;
    const io = new FakeIo({
      Register: () => {
        calls += 1;
        return Promise.reject(error);
      },
    });
    assert.equal(await teleport(io, "register", "true"), error.status === "UNAVAILABLE" ? 255 : 1);
    assert.equal(calls, 1);
  }
});

for (const args of [["register", "x"], ["run", "-d", "x"]]) {
  Deno.test(`teleport ${args.join(" ")} names the job whose id cannot be printed`, async () => {
    const job = new FakeJob();
    const io = new FakeIo(job.calls);
    io.stdout.failure = new Error("No space left on device");
    assert.equal(await teleport(io, ...args), 1);
    assert.match(
      io.stderr.text,
      /^teleport: Job "job-1" was registered: .*\nteleport: Cannot write to the standard out/,
    );
  });
}
