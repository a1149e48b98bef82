/** The jobs that run through all rounds: each must stay the same process, count on, and lose no line. */
import assert from "node:assert/strict";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { deadline, eventually } from "../support/deadline.ts";
import { Follower } from "./follower.ts";
import { InputWriter } from "./input_writer.ts";
import { countOf, LONG_CODE, LONG_OPTIONS, LONG_SCRIPTS, type LongKind, requestFor, startsOf } from "./jobs.ts";
import type { Place } from "./place.ts";
import { startOf } from "./processes.ts";

/** How long a job that was not killed may take to count on, in milliseconds. */
const COUNT_MS = 120_000;

/** One job that runs through all rounds. */
export interface LongJob {
  readonly kind: LongKind;
  readonly name: string;
  readonly id: string;
  readonly pid: number;
  /** Identifies the process together with the pid. */
  readonly start: string;
  readonly startedAt: string;
  readonly follower: Follower;
  readonly writer: InputWriter | undefined;
}

/** One job of each kind. */
export class LongJobs implements AsyncDisposable {
  readonly #place: Place;
  readonly jobs: readonly LongJob[];
  /** The counts of paused jobs while they are paused. */
  readonly #pausedAt = new Map<string, number>();

  private constructor(place: Place, jobs: readonly LongJob[]) {
    this.#place = place;
    this.jobs = jobs;
  }

  /** Starts one job of each kind. */
  static async start(place: Place, prefix: string): Promise<LongJobs> {
    const kinds = Object.keys(LONG_SCRIPTS) as LongKind[];
    const jobs = new LongJobs(
      place,
      await Promise.all(kinds.map((kind) => startLong(place, kind, `${prefix}-${kind}`))),
    );
    await jobs.pause();
    return jobs;
  }

  /** Gives the job of a kind. */
  get(kind: LongKind): LongJob {
    return this.jobs.find((job) => job.kind === kind)!;
  }

  /** Pauses the jobs that are for that. */
  async pause(): Promise<void> {
    for (const { kind, id, name } of this.jobs) {
      if (kind !== "paused") continue;
      await eventually(() => countOf(this.#place, name) > (this.#pausedAt.get(id) ?? 0), `${name} counts`, COUNT_MS);
      await this.#place.calls.Pause({ id });
      this.#pausedAt.set(id, countOf(this.#place, name));
    }
  }

  /** Checks, without a server, that all processes are the same and continue their work. */
  async checkProcesses(): Promise<void> {
    const before = new Map(this.jobs.map(({ name }) => [name, countOf(this.#place, name)]));
    for (const job of this.jobs) {
      assert.equal(startOf(job.pid), job.start, `${job.name}: process ${job.pid} is gone`);
      assert.deepEqual(startsOf(this.#place, job.name), [job.pid], `${job.name}: its starts`);
    }
    for (const { kind, name, id } of this.jobs) {
      // No sender is connected while the server is down.
      if (kind === "input") continue;
      if (kind === "paused") assert.equal(countOf(this.#place, name), this.#pausedAt.get(id), `${name} is paused`);
      else await eventually(() => countOf(this.#place, name) > before.get(name)!, `${name} counts on`, COUNT_MS);
    }
  }

  /** Checks, with a server, that nothing happened to the jobs. */
  async check(): Promise<void> {
    await this.checkProcesses();
    for (const job of this.jobs) {
      const status = await this.#place.calls.Status({ id: job.id });
      const found = [status.state, status.pid, JSON.stringify(status.started_at), status.error, status.paused];
      const isPaused = job.kind === "paused";
      assert.deepEqual(found, ["STATE_RUNNING", job.pid, job.startedAt, "", isPaused], `${job.name}: its status`);
      await job.follower.check();
      await job.writer?.check();
    }
  }

  /** Resumes and pauses what is paused, which must still work. */
  async alternate(): Promise<void> {
    for (const { kind, id } of this.jobs) if (kind === "paused") await this.#place.calls.Resume({ id });
    await this.pause();
  }

  /** Ends all jobs as their scripts wish, and checks their last words. */
  async finish(): Promise<void> {
    for (const { kind, id } of this.jobs) if (kind === "paused") await this.#place.calls.Resume({ id });
    await Promise.all(this.jobs.map(async ({ name, id, pid, writer, follower }) => {
      if (writer === undefined) await this.#place.calls.Stop({ id });
      else await writer.end();
      const end = await follower.ended();
      const { state, exit_code, pid: last } = end.status ?? await this.#place.calls.Status({ id });
      assert.deepEqual([state, exit_code, last], ["STATE_EXITED", LONG_CODE, pid], `${name}: its end`);
      follower.lines?.finish();
      const lines = follower.lines?.last;
      if (writer !== undefined) assert.equal(lines, writer.lines, `${name}: lines of input`);
      assert.equal(lines, countOf(this.#place, name), `${name}: its last line`);
      assert.deepEqual(startsOf(this.#place, name), [pid], `${name}: its starts`);
    }));
  }

  /**
   * Waits until all jobs are reported lost, as they are when their job host is killed.
   *
   * @param ms the longest time in milliseconds
   */
  async lost(ms: number): Promise<void> {
    await Promise.all(this.jobs.map(async ({ name, pid, start, follower, writer }) => {
      const end = await deadline(follower.ended(), `the end of ${name}, whose job host was killed`, ms);
      assert.equal(end.status?.state, "STATE_LOST", `${name}: its end`);
      assert.ok(end.status.error !== "" && end.status.exit_code === undefined, `${name}: ${end.status.error}`);
      assert.notEqual(startOf(pid), start, `${name}: process ${pid} survives`);
      assert.deepEqual(startsOf(this.#place, name), [pid], `${name}: its starts`);
      await writer?.abandon();
    }));
  }

  /** Ends all reading and writing, also when the jobs run on. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { follower, writer } of this.jobs) {
      await follower.abandon();
      await writer?.abandon();
    }
  }
}

async function startLong(place: Place, kind: LongKind, name: string): Promise<LongJob> {
  const { calls } = place;
  const { id } = await calls.Register(requestFor(place, name, LONG_SCRIPTS[kind], [], LONG_OPTIONS[kind]));
  let running: JobStatus | undefined;
  for await (const status of calls.Start({ id })) {
    if (status.state !== "STATE_RUNNING") continue;
    running = status;
    break;
  }
  assert.ok(running !== undefined, `${name} does not run`);
  const { pid, started_at } = running;
  await eventually(() => startsOf(place, name).length > 0, `${name} begins`);
  const start = startOf(pid);
  assert.ok(start !== undefined, `${name}: its process`);
  return {
    kind,
    name,
    id,
    pid,
    start,
    startedAt: JSON.stringify(started_at),
    follower: new Follower(place.calls, id, name, true),
    writer: kind === "input" ? new InputWriter(place, id, name) : undefined,
  };
}
