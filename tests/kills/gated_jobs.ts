/** Jobs that end while no server runs. The next server must know the exact end, as their job host saw it. */
import assert from "node:assert/strict";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { eventually } from "../support/deadline.ts";
import { filesOf, FLOOD_BYTES, GATED_OPTIONS, GATED_SCRIPTS, type GatedKind, requestFor, startsOf } from "./jobs.ts";
import type { Place } from "./place.ts";
import { startOf } from "./processes.ts";

/** How long a job may take to end after its release, in milliseconds. */
const END_MS = 120_000;

/** The tolerance of a time in a status, in milliseconds. Both clocks are the same. */
const CLOCK_MS = 1_000;

interface GatedJob {
  readonly kind: GatedKind;
  readonly name: string;
  readonly id: string;
  readonly pid: number;
  readonly start: string | undefined;
  readonly code: number;
  /** Open for both directions, so that neither side blocks and no word is lost. */
  readonly gate: Deno.FsFile;
}

/** One job of each kind, for one round. */
export class GatedJobs implements Disposable {
  readonly #place: Place;
  readonly #jobs: readonly GatedJob[];
  #releasedAt = 0;
  #goneAt = 0;
  #word = "";

  private constructor(place: Place, jobs: readonly GatedJob[]) {
    this.#place = place;
    this.#jobs = jobs;
  }

  /** Starts one job of each of these kinds. */
  static async start(
    place: Place,
    prefix: string,
    code: number,
    kinds = Object.keys(GATED_SCRIPTS) as readonly GatedKind[],
  ): Promise<GatedJobs> {
    return new GatedJobs(
      place,
      await Promise.all(kinds.map((kind) => startGated(place, kind, `${prefix}-${kind}`, code))),
    );
  }

  /**
   * Lets the jobs end.
   *
   * @param word the text that they write first. Empty: they write nothing
   */
  release(word = "word"): void {
    this.#word = word;
    this.#releasedAt = Date.now();
    for (const { gate } of this.#jobs) gate.writeSync(new TextEncoder().encode(`${word}\n`));
  }

  /** Waits until the processes have ended, without asking a server. */
  async gone(): Promise<void> {
    for (const { kind, name, pid, start } of this.#jobs) {
      if (kind !== "late") await eventually(() => startOf(pid) !== start, `the end of ${name}`, END_MS);
    }
    this.#goneAt = Date.now();
  }

  /**
   * Checks how the jobs ended, and removes them.
   *
   * @param mayBeLost whether the job host was killed too
   */
  async check(mayBeLost: boolean): Promise<{ readonly lost: number }> {
    let lost = 0;
    for (const job of this.#jobs) {
      let status: JobStatus | undefined;
      for await (const now of this.#place.calls.StatusStream({ id: job.id })) status = now;
      assert.ok(status !== undefined, `${job.name}: its status`);
      let text = "";
      for await (const { data } of this.#place.calls.GetOutput({ id: job.id })) text += new TextDecoder().decode(data);
      assert.deepEqual(startsOf(this.#place, job.name), [job.pid], `${job.name}: its starts`);
      assert.notEqual(startOf(job.pid), job.start, `${job.name}: process ${job.pid} survives`);
      if (mayBeLost && status.state === "STATE_LOST") {
        assert.ok(status.error !== "" && status.exit_code === undefined, `${job.name}: ${JSON.stringify(status)}`);
        lost += 1;
      } else {
        checkEnd(job, status, text, this.#word);
        if (!mayBeLost) this.#checkTime(job, status);
      }
      await this.#place.calls.Remove({ id: job.id });
    }
    return { lost };
  }

  #checkTime({ kind, name }: GatedJob, { ended_at }: JobStatus): void {
    // Its time began with its start, and may be over before its release.
    if (kind === "late") return;
    assert.ok(ended_at !== null, `${name}: the time of its end`);
    const at = Number(ended_at.seconds) * 1_000 + ended_at.nanos / 1e6;
    const isInTime = at >= this.#releasedAt - CLOCK_MS && at <= this.#goneAt + CLOCK_MS;
    assert.ok(isInTime, `${name}: it ended at ${at}, and was released at ${this.#releasedAt}`);
  }

  [Symbol.dispose](): void {
    for (const { gate } of this.#jobs) gate.close();
  }
}

/** Checks the exact end of a job whose host has lived on. */
function checkEnd({ kind, name, code }: GatedJob, status: JobStatus, text: string, word: string): void {
  const { state, exit_code, signal, reason, others_ended } = status;
  const found = [state, exit_code, signal, reason, others_ended];
  const wanted = {
    exits: ["STATE_EXITED", code, "", "REASON_EXITED", 0],
    signals: ["STATE_KILLED", undefined, "SIGSEGV", "REASON_SIGNALED", 0],
    leaves: ["STATE_EXITED", code, "", "REASON_EXITED", 1],
    floods: ["STATE_KILLED", undefined, "SIGTERM", "REASON_OUTPUT_LIMIT", 0],
    late: ["STATE_KILLED", undefined, "SIGTERM", "REASON_TIMED_OUT", 0],
  }[kind];
  assert.deepEqual(found, wanted, `${name}: its end`);
  // The time of a job may be over before its release.
  if (kind === "late" && text === "") return;
  const output = kind === "floods"
    ? `${word}\n${"y\n".repeat(FLOOD_BYTES)}`.slice(0, FLOOD_BYTES)
    : word && `${word}\n`;
  assert.ok(text === output, `${name}: ${text.length} bytes of output, not ${output.length}`);
}

async function startGated(place: Place, kind: GatedKind, name: string, code: number): Promise<GatedJob> {
  const path = `${filesOf(place, name)}.gate`;
  await new Deno.Command("mkfifo", { args: [path] }).output();
  const gate = await Deno.open(path, { read: true, write: true });
  const request = requestFor(place, name, GATED_SCRIPTS[kind], [`${code}`], GATED_OPTIONS[kind]);
  const { id } = await place.calls.Register(request);
  let pid = 0;
  for await (const status of place.calls.Start({ id })) {
    pid = status.pid;
    if (status.state === "STATE_RUNNING") break;
  }
  await eventually(() => startsOf(place, name).length > 0, `${name} begins`);
  return { kind, name, id, pid, start: startOf(pid), code, gate };
}
