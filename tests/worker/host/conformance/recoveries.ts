/** Promises of a link about jobs whose host has died: their ends, survivors, output and files. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { JobSpec, ProcessStatus } from "../../../../mod.ts";
import { CLOSING_LINE, encodeEnd } from "../../../../worker/host/end_line.ts";
import type { JobChange, OrphanedJob } from "../../../../worker/host/link.ts";
import { newJobId } from "../../../../worker/job/id.ts";
import type { StoredProcess } from "../../../../worker/job/status_details.ts";
import { bootId } from "../../../../worker/linux/boot_id.ts";
import { readEntry } from "../../../../worker/linux/procfs.ts";
import { OutputLog } from "../../../../worker/output/log.ts";
import { deadline } from "../../../support/deadline.ts";
import { type HostForm, TestedHost } from "./fixture.ts";

const DEAD = "0123456789abcdef";
const startedAt = new Date(1_000);

/** Makes a job that ran in a dead host. */
function orphan(process: Partial<StoredProcess> = {}, pid = 1): OrphanedJob & { readonly spec: JobSpec } {
  return {
    spec: { id: newJobId(), command: "sh", args: [], registeredAt: startedAt },
    status: { state: "RUNNING", startedAt, pid, requestedBy: { startedBy: "ann" } },
    process: { bootId: bootId(), host: DEAD, ...process },
  };
}

/** Makes a job whose start was stored for a dead host. */
function starting(process: Partial<StoredProcess> = {}): OrphanedJob & { readonly spec: JobSpec } {
  return { ...orphan(process), status: { state: "STARTING", startedAt } };
}

/** Writes the output of a job as a dead host leaves it. Returns the path of the file. */
async function leaveOutput(host: TestedHost, id: string, text: string): Promise<string> {
  const directory = join(host.directory, "output", id);
  const log = new OutputLog(id, { directory });
  await log.append("stdout", new TextEncoder().encode(text));
  await log.seal();
  const [file] = [...Deno.readDirSync(directory)];
  return join(directory, file!.name);
}

/** Writes the journal of a dead host. */
function leaveEnds(host: TestedHost, ...parts: Uint8Array[]): void {
  const directory = join(host.directory, "hosts", DEAD);
  Deno.mkdirSync(directory, { recursive: true });
  Deno.writeFileSync(join(directory, "ends.journal"), new Uint8Array(parts.flatMap((part) => [...part])));
}

function endOf({ spec: { id } }: OrphanedJob, exitCode: number): JobChange {
  const status: ProcessStatus = {
    state: "EXITED",
    exitCode,
    startedAt,
    endedAt: new Date(2_000),
    pid: 1,
    reason: "EXITED",
  };
  const digest = new Uint8Array(32).fill(7);
  const totals = { stdoutBytes: 1, stderrBytes: 2, droppedBytes: 0, stdoutSha256: digest, stderrSha256: digest };
  const output = { end: { position: 9, offsets: { stdout: 1, stderr: 2 } }, totals };
  return { id, number: 3, status, details: { reason: "EXITED", process: { bootId: "b", host: DEAD }, output } };
}

/** Registers the tests for a form of the link. */
export function testRecoveries(form: HostForm): void {
  const test = (name: string, run: (host: TestedHost) => Promise<void>) =>
    Deno.test(`${form.name}: ${name}`, async () => {
      await using host = await TestedHost.start(form);
      await run(host);
    });

  test("recover() finds the end that a dead host has written", async (host) => {
    const jobs = [orphan(), orphan(), orphan()] as const;
    const [first, second, third] = jobs.map((job, index) => endOf(job, index));
    const damaged = encodeEnd(second!);
    damaged[20]! ^= 1;
    leaveEnds(host, encodeEnd(first!), damaged, encodeEnd(third!), encodeEnd(endOf(orphan(), 9)).slice(0, 50));
    for (const [job, end] of [[jobs[0], first], [jobs[2], third]] as const) {
      const { status, details, survivors, isDenied } = await host.link.recover(job);
      assert.deepEqual(status, end!.status);
      assert.deepEqual(details, end!.details);
      assert.deepEqual([survivors, isDenied], [[], false]);
    }
    assert.equal((await host.link.recover(jobs[1])).status.state, "LOST", "Its line is damaged");
    await host.events.until(() => host.events.errors.length > 0, "a report of the damage");
    assert.equal(host.events.errors.length, 1);
    assert.match(host.events.errors[0]!.message, /^Line 2 .* damaged/);
  });

  test("recover() says LOST for a job without an end, and keeps its output", async (host) => {
    const job = orphan();
    await leaveOutput(host, job.spec.id, "some\n");
    const { status, details } = await host.link.recover(job);
    assert.ok(status.state === "LOST");
    assert.equal(status.reason, "LOST");
    assert.match(status.error, /^The job host died while the job was running/);
    assert.deepEqual(status.requestedBy, { startedBy: "ann" });
    assert.deepEqual(status.startedAt, startedAt);
    assert.equal(details.reason, "LOST");
    assert.equal(details.output!.totals.stdoutBytes, 5);
    assert.equal(await host.outputOf({ id: job.spec.id, status, details }), "some\n");
    assert.deepEqual(host.events.errors, []);
  });

  test("recover() says INITIAL for a start that never reached its host, which then ended in order", async (host) => {
    const job = starting();
    const { status, details, survivors, isDenied } = await host.link.recover(job);
    assert.deepEqual(
      [status, details, survivors, isDenied],
      [{ state: "INITIAL" }, {}, [], false],
      "No directory is left",
    );
    const other = orphan();
    leaveEnds(host, encodeEnd(endOf(other, 3)), CLOSING_LINE);
    await host.link.discard(DEAD);
    leaveEnds(host, encodeEnd(endOf(other, 3)), CLOSING_LINE);
    assert.equal((await host.link.recover(job)).status.state, "INITIAL", "The end of another job is left");
    assert.equal((await host.link.recover(other)).status.state, "EXITED");
  });

  test("recover() says LOST for a start when anything shows that it may have reached its host", async (host) => {
    const end = encodeEnd(endOf(orphan(), 3));
    const damaged = end.slice();
    damaged[20]! ^= 1;
    const journals: readonly (readonly [what: string, parts: readonly Uint8Array[]])[] = [
      ["a host that was killed before its first end", []],
      ["a host that was killed, or is of an earlier version", [end]],
      ["a host that was killed while it wrote its last line", [end, CLOSING_LINE.slice(0, -1)]],
      ["a damaged last line", [end, CLOSING_LINE.with(12, 0)]],
      ["a damaged end, which may be the one of the job", [damaged, CLOSING_LINE]],
    ];
    for (const [what, parts] of journals) {
      leaveEnds(host, ...parts);
      assert.equal((await host.link.recover(starting())).status.state, "LOST", what);
      await host.link.discard(DEAD);
    }
    leaveEnds(host, end, CLOSING_LINE);
    for (
      const [what, job] of [
        ["a job that has a process", orphan()],
        ["a job of an earlier boot, whose end may not have reached the disk", starting({ bootId: "another" })],
        ["a job of an unknown boot", starting({ bootId: "" })],
        ["a job of no host", { ...starting(), process: { bootId: bootId() } }],
      ] as const
    ) assert.equal((await host.link.recover(job)).status.state, "LOST", what);
    const written = starting();
    await leaveOutput(host, written.spec.id, "some\n");
    assert.equal((await host.link.recover(written)).status.state, "LOST", "a job with output");
  });

  test("recover() cuts a torn tail, and reports output that cannot be repaired", async (host) => {
    const torn = orphan();
    const path = await leaveOutput(host, torn.spec.id, "whole\n");
    const whole = Deno.statSync(path).size;
    Deno.writeFileSync(path, new Uint8Array(30).fill(1), { append: true });
    const { details } = await host.link.recover(torn);
    assert.equal(details.output!.totals.stdoutBytes, 6);
    assert.equal(details.outputBytes, whole);
    assert.equal(Deno.statSync(path).size, whole);
    const damaged = orphan();
    Deno.writeFileSync(await leaveOutput(host, damaged.spec.id, "x"), new Uint8Array(200).fill(3));
    const lost = await host.link.recover(damaged);
    assert.equal(lost.status.state, "LOST");
    assert.equal(lost.details.output, undefined);
    await host.events.until(() => host.events.errors.length > 0, "a report of the damage");
  });

  test("recover() repairs the output of a job that has ended", async (host) => {
    const job = { ...orphan(), status: endOf(orphan(), 4).status };
    await leaveOutput(host, job.spec.id, "text");
    const { status, details } = await host.link.recover(job);
    assert.deepEqual(status, job.status);
    assert.equal(details.output!.totals.stdoutBytes, 4);
    assert.equal(details.reason, undefined);
  });

  test("recover() ends survivors, and says so", async (host) => {
    const template = orphan();
    const child = new Deno.Command("sh", {
      args: ["-c", "sleep 1000 & echo up; exec sleep 1000"],
      env: { TELEPORT_ID: template.spec.id },
      detached: true,
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    await deadline(reader.read(), "the start of the survivor");
    const startTime = readEntry(child.pid)!.startTime;
    const job = { ...template, process: { ...template.process!, leader: child.pid, startTime } };
    const { status, survivors } = await deadline(host.link.recover(job), "the recovery");
    assert.ok(status.state === "LOST" && status.exitReport?.survivorsEnded === 1);
    assert.deepEqual(survivors, []);
    assert.equal((await deadline(child.status, "the end of the survivor")).signal, "SIGTERM");
    while (!(await deadline(reader.read(), "the end of all survivors")).done);
  });

  test("recover() tells a restart of the machine apart, and refuses a job that runs here", async (host) => {
    const { status } = await host.link.recover(orphan({ bootId: "another" }));
    assert.ok(status.state === "LOST");
    assert.match(status.error, /^The machine was restarted/);
    const start = host.startOf("exec sleep 1000");
    await host.link.start(start);
    const { details: { process } } = await host.events.state(start.spec.id, "RUNNING");
    const running = { spec: start.spec, status: orphan().status, process: process! };
    await assert.rejects(host.link.recover(running), { code: "JOB_RUNNING" });
  });

  test("discard() deletes the files of a dead host, and refuses this host and other names", async (host) => {
    const job = orphan();
    leaveEnds(host, encodeEnd(endOf(job, 0)));
    assert.equal((await host.link.recover(job)).status.state, "EXITED");
    await host.link.discard(DEAD);
    assert.throws(() => Deno.statSync(join(host.directory, "hosts", DEAD)), Deno.errors.NotFound);
    await host.link.discard(DEAD);
    assert.equal((await host.link.recover(job)).status.state, "LOST");
    for (const wrong of [host.link.info.instance, "..", "", "a/b"]) {
      await assert.rejects(host.link.discard(wrong), { code: "INVALID_ARGUMENT" });
    }
  });
}
