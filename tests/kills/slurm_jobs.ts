/** The jobs of the rounds on a Slurm cluster. Each is followed through outages, and its end must be true. */
import assert from "node:assert/strict";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { deadline, eventually } from "../support/deadline.ts";
import { Follower, hex } from "./follower.ts";
import { countOf, filesOf, LONG_CODE, LONG_SCRIPTS, requestFor, SHORT_SCRIPTS, startsOf } from "./jobs.ts";
import { hasNoAnswer } from "./no_answer.ts";
import type { Place } from "./place.ts";
import { jobProcesses, startOf } from "./processes.ts";

/** The bytes of a job that writes at full speed. */
const FAST_BYTES = 3_000_000;

/** How long Slurm may take to give a job a node and to say that it is over, in milliseconds. It has time limits itself. */
const END_MS = 300_000;

/** How long the processes of a job may be there after its end, in milliseconds. Slurm's KillWait is 5 seconds. */
const GONE_MS = 60_000;

/** The scripts. All but `fast` number their lines, and end with `end N`. `$2` is the exit code. */
const SCRIPTS = {
  /** Writes for about a second. */
  lines:
    `while [ $n -lt 2000 ]; do text=; last=$((n + 200)); while [ $n -lt $last ]; do n=$((n + 1)); text="\${text}line $n
"; done; printf %s "$text"; sleep 0.1; done; echo "end $n"; exit $2`,
  /** Leaves a process that has left the session. */
  leaves: `n=1; echo "line 1"; setsid sleep 1000 & sleep 0.1; echo "end 1"; exit $2`,
  fast: SHORT_SCRIPTS.fast,
  slow: LONG_SCRIPTS.slow,
  bursts: LONG_SCRIPTS.bursts,
} as const;

/** The name of a kind of job. `slow` and `bursts` run until they are stopped. */
export type SlurmKind = keyof typeof SCRIPTS;

/** How a job has ended. `ended`: Slurm has ended it, and its host has reported that. */
export type SlurmEnd = "exact" | "ended" | "lost" | "failed";

/** One job. */
export class SlurmJob {
  readonly #place: Place;
  readonly name: string;
  readonly kind: SlurmKind;
  readonly #code: number;
  readonly id: string;
  readonly #follower: Follower;
  readonly #final: Promise<JobStatus>;

  private constructor(place: Place, name: string, kind: SlurmKind, code: number, id: string) {
    this.#place = place;
    this.name = name;
    this.kind = kind;
    this.#code = code;
    this.id = id;
    this.#follower = new Follower(place.calls, id, name, kind !== "fast");
    this.#final = this.#follow();
    this.#final.catch(() => {}); // It is reported by final(), which is called later.
  }

  /** Starts a job, also while the gateway is away. */
  static async start(place: Place, name: string, kind: SlurmKind, code: number): Promise<SlurmJob> {
    const request = requestFor(place, name, SCRIPTS[kind], [`${code}`, `${FAST_BYTES}`]);
    const { id } = await answered(() => place.calls.Register(request));
    return new SlurmJob(place, name, kind, isLong(kind) ? LONG_CODE : code, id);
  }

  /** Waits until the job counts, or has ended. */
  async counts(): Promise<void> {
    const before = countOf(this.#place, this.name);
    let isOver = false;
    void this.#final.catch(() => {}).finally(() => isOver = true);
    await eventually(
      () => isOver || countOf(this.#place, this.name) > before,
      () => `a line of ${this.name} (${this.id})`,
      END_MS,
    );
  }

  /** Waits for the final status. */
  async final(): Promise<JobStatus> {
    return await deadline(this.#final, () => `the end of ${this.name} (${this.id})`, END_MS);
  }

  /** Checks a job that runs until it is stopped. Returns false when it is over. */
  async check(): Promise<boolean> {
    const { calls } = this.#place;
    const status = () => answered(() => calls.Status({ id: this.id }));
    const { state, pid, error } = await status();
    if (!isOpen(state)) return false;
    assert.equal(error, "", this.name);
    await this.#follower.check();
    if (state !== "STATE_RUNNING") return true;
    assert.deepEqual(startsOf(this.#place, this.name), [pid], `${this.name}: its starts`);
    if (startOf(pid) !== undefined) return true;
    // The end of the process is reported later than it is seen here.
    await eventually(
      async () => !isOpen((await status()).state),
      `the end of ${this.name}, whose process is gone`,
      END_MS,
    );
    return false;
  }

  async stop(): Promise<void> {
    await answered(() => this.#place.calls.Stop({ id: this.id, grace_ms: 20_000 }));
  }

  /**
   * Checks the end of the job.
   *
   * @param mayEnd whether programs of a node were killed, which may end a job
   */
  async checkEnd(mayEnd: boolean): Promise<SlurmEnd> {
    const status = await this.final();
    const end = await this.#endOf(status, mayEnd);
    const alive = () => jobProcesses(this.#place.dir).get(this.id) ?? [];
    // Slurm kills the whole batch after its KillWait. Without cgroups it does not find what has left the session.
    if (end === "lost" && this.kind === "leaves" && /slurm says/.test(status.error)) return end;
    await eventually(() => alive().length === 0, () => `the end of ${alive()} of ${this.#text(status)}`, GONE_MS);
    return end;
  }

  async #endOf(status: JobStatus, mayEnd: boolean): Promise<SlurmEnd> {
    const { state, reason, pid, error, exit_code } = status;
    const starts = startsOf(this.#place, this.name);
    const text = this.#text(status);
    if (state === "STATE_FAILED") {
      assert.deepEqual([mayEnd, reason, starts], [true, "REASON_START_FAILED", []], text);
      assert.match(error, /slurm says/, text);
      return "failed";
    }
    const end = await this.#follower.ended();
    if (state === "STATE_LOST") {
      assert.ok(mayEnd && error !== "" && exit_code === undefined, text);
      assert.ok(starts.length <= 1 && starts.every((start) => start === pid || pid === 0), `${text}: ${starts}`);
      return "lost";
    }
    assert.deepEqual(starts, [pid], `${text}: its starts`);
    // The daemon of a node that was away ends what it does not know any more: with SIGTERM for all.
    if (mayEnd && (reason === "REASON_SHUTDOWN" || reason === "REASON_SIGNALED")) return "ended";
    assert.deepEqual([state, exit_code], ["STATE_EXITED", this.#code], text);
    if (this.kind === "fast") {
      const digest = (await Deno.readTextFile(`${filesOf(this.#place, this.name)}.digest`)).split(" ")[0];
      assert.equal(hex(end.stdout_sha256), digest, `${this.name}: its digest`);
    } else this.#follower.lines?.finish();
    if (isLong(this.kind)) assert.equal(this.#follower.lines?.last, countOf(this.#place, this.name), text);
    return "exact";
  }

  /** Ends all reading. */
  async abandon(): Promise<void> {
    await this.#follower.abandon();
  }

  #text({ state, reason, error }: JobStatus): string {
    return `${this.name} (${this.id}) ${state} ${reason} ${error}`;
  }

  async #follow(): Promise<JobStatus> {
    return await answered(async () => {
      let last: JobStatus | undefined;
      for await (last of this.#place.calls.Start({ id: this.id }));
      assert.ok(last !== undefined, `${this.name}: Start gave no status`);
      return last;
    });
  }
}

function isOpen(state: JobStatus["state"]): boolean {
  return state === "STATE_STARTING" || state === "STATE_RUNNING";
}

function isLong(kind: SlurmKind): boolean {
  return kind === "slow" || kind === "bursts";
}

/** Repeats a call until it has an answer. */
async function answered<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!hasNoAnswer(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
