/** Promises of a link about starts and changes: once only, in order, with all details. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { HostStart, JobChange } from "../../../../worker/host/link.ts";
import { bootId } from "../../../../worker/linux/boot_id.ts";
import { deadline } from "../../../support/deadline.ts";
import { needing } from "../../../support/needs.ts";
import { type HostForm, TestedHost } from "./fixture.ts";

function sha256(text: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(text).digest());
}

function states(changes: readonly JobChange[]): string[] {
  return changes.map(({ status }) => status.state);
}

/** Takes almost all descriptors from a process. Disposing of the result gives them back. */
async function withoutDescriptors(pid: number): Promise<AsyncDisposable> {
  const line = (await Deno.readTextFile(`/proc/${pid}/limits`)).split("\n").find((text) => /^Max open/.test(text));
  const [soft, hard] = line!.slice(15).trim().split(/\s+/) as [string, string];
  const script =
    `prlimit --pid ${pid} --nofile=3:${hard}; echo; read -r line; prlimit --pid ${pid} --nofile=${soft}:${hard}`;
  const child = new Deno.Command("sh", { args: ["-c", script], stdin: "piped", stdout: "piped" }).spawn();
  const reader = child.stdout.getReader();
  await deadline(reader.read(), "the lower limit");
  return {
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await deadline(child.status, "the old limit");
      await reader.cancel();
    },
  };
}

/** Registers the tests for a form of the link. */
export function testStarts(form: HostForm): void {
  const test = (name: string, run: (host: TestedHost) => Promise<void>) =>
    Deno.test(`${form.name}: ${name}`, async () => {
      await using host = await TestedHost.start(form);
      await run(host);
      assert.deepEqual(host.events.errors, []);
    });

  test("start() reports each change once, in order, numbered from 1, and the end with totals and digests", async (host) => {
    const { instance } = host.link.info;
    const id = await host.run("echo hello; echo oops >&2; exit 7", {}, "ann");
    const end = await host.events.end(id);
    const changes = host.events.of(id);
    assert.deepEqual(states(changes), ["STARTING", "RUNNING", "EXITED"]);
    assert.deepEqual(changes.map(({ number }) => number), [1, 2, 3]);
    assert.ok(
      changes.every(({ details }) => details.process?.host === instance && details.process.bootId === bootId()),
    );
    const [starting, running] = changes;
    assert.equal(starting!.details.by, "ann");
    assert.deepEqual(starting!.status.requestedBy, { startedBy: "ann" });
    assert.ok(running!.status.state === "RUNNING" && running!.details.process?.leader === running!.status.pid);
    assert.ok(running!.details.process?.startTime! > 0);
    assert.ok(end.status.state === "EXITED" && end.status.exitCode === 7 && end.status.reason === "EXITED");
    assert.ok(end.status.endedAt instanceof Date && end.status.exitReport!.survivorsEnded === 0);
    assert.equal(end.details.reason, "EXITED");
    const { totals } = end.details.output!;
    assert.deepEqual({ ...totals }, {
      stdoutBytes: 6,
      stderrBytes: 5,
      droppedBytes: 0,
      stdoutSha256: sha256("hello\n"),
      stderrSha256: sha256("oops\n"),
    });
    assert.match(await host.outputOf(end), /hello\n/);
    let diskBytes = 0;
    for (const { name } of Deno.readDirSync(join(host.directory, "output", id))) {
      diskBytes += Deno.statSync(join(host.directory, "output", id, name)).size;
    }
    assert.equal(end.details.outputBytes, diskBytes);
  });

  test("start() starts an id once: while it runs, after its end, and after forget()", async (host) => {
    const file = join(host.directory, "starts");
    const start = host.startOf(`echo start >> ${file}; read -r line`, { input: true });
    const { id } = start.spec;
    await Promise.all(Array.from({ length: 5 }, () => host.link.start(start)));
    await host.events.state(id, "RUNNING");
    await host.link.start(start);
    await host.link.writeInput(id, ReadableStream.from([{ end: true }]), {});
    await host.events.end(id);
    await host.link.start(start);
    host.link.forget(id);
    await host.link.start(start);
    assert.deepEqual(await host.link.states([id]), {});
    assert.equal(await Deno.readTextFile(file), "start\n");
    assert.deepEqual(host.events.of(id).map(({ number }) => number), [1, 2, 3]);
  });

  test("start() reports a failed start as the end of the job", async (host) => {
    const start = host.startOf("", { command: "/no/such/program" });
    await host.link.start(start);
    const end = await host.events.end(start.spec.id);
    assert.deepEqual(states(host.events.of(start.spec.id)), ["STARTING", "FAILED"]);
    assert.ok(end.status.state === "FAILED" && end.status.errorCode === "COMMAND_NOT_FOUND");
    assert.equal(end.details.output!.totals.stdoutBytes, 0);
  });

  test("start() passes on the environment and the privileges", async (host) => {
    const script = "echo $COLOR $SIZE; grep NoNewPrivs /proc/self/status";
    const start = host.startOf(script, { env: { SIZE: "small" } }, {
      noNewPrivileges: true,
      baseEnv: { COLOR: "red", SIZE: "large" },
    });
    await host.link.start(start);
    assert.equal(await host.outputOf(await host.events.end(start.spec.id)), "red small\nNoNewPrivs:\t1\n");
  });

  test("start() refuses a job that cannot be enforced here, without a trace", async (host) => {
    const start = host.startOf("true", { cgroupLimits: { maxMemoryBytes: 1_000_000 } });
    await assert.rejects(host.link.start(start), { code: "NOT_ENFORCEABLE", message: /^Cannot limit memory/ });
    assert.deepEqual(await host.attachAnew(), []);
    const plain: HostStart = { ...start, spec: { ...start.spec, cgroupLimits: {} } };
    await host.link.start(plain);
    await host.events.end(start.spec.id);
  });

  Deno.test(
    needing("prlimit", `${form.name}: start() leaves no trace without resources, and succeeds later`),
    async () => {
      await using host = await TestedHost.start(form);
      const start = host.startOf("echo done");
      const other = await host.runUp(); // Everything that a first start reads is in memory now.
      {
        await using _ = await withoutDescriptors(host.link.info.pid);
        await assert.rejects(host.link.start(start), { code: "HOST_EXHAUSTED", message: /Too many open files/ });
        await assert.rejects(host.link.start(start), { code: "HOST_EXHAUSTED" });
      }
      assert.deepEqual(host.events.of(start.spec.id), []);
      assert.deepEqual((await host.attachAnew()).map(({ id }) => id), [other]);
      await host.link.start(start);
      const end = await host.events.end(start.spec.id);
      assert.deepEqual(host.events.of(start.spec.id).map(({ number }) => number), [1, 2, 3]);
      assert.equal(await host.outputOf(end), "done\n");
    },
  );

  test("changed() reports an end when it is in the journal of the host", async (host) => {
    const journal = join(host.directory, "hosts", host.link.info.instance, "ends.journal");
    const found: boolean[] = [];
    host.events.onChange = ({ id, status }) => {
      if (status.state === "EXITED") found.push(Deno.readTextFileSync(journal).includes(id));
    };
    const ids = await Promise.all(Array.from({ length: 10 }, () => host.run("exit 0")));
    for (const id of ids) await host.events.end(id);
    assert.deepEqual(found, Array(10).fill(true));
  });

  test("changed() keeps the order of each job when many run", async (host) => {
    const ids = await Promise.all(Array.from({ length: 40 }, (_, index) => host.run(`echo ${index}; exit ${index}`)));
    for (const [index, id] of ids.entries()) {
      const { status } = await host.events.end(id);
      assert.ok(status.state === "EXITED" && status.exitCode === index);
      const changes = host.events.of(id);
      assert.deepEqual(states(changes), ["STARTING", "RUNNING", "EXITED"]);
      assert.deepEqual(changes.map(({ number }) => number), [1, 2, 3]);
    }
  });
}
