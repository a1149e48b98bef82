/** Random calls while supervisors, links and job hosts come and go: each job runs once, and no byte is lost or doubled. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Supervisor } from "../../../mod.ts";
import type { JobHost } from "../../../worker/host/job_host.ts";
import { deadline } from "../../support/deadline.ts";
import { Random, seedFor } from "../../support/random.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { LocalHosts } from "./job_host_fixture.ts";
import { read } from "./supervisor_fixture.ts";

const STEPS = 120;

/** The errors of calls that come too late. */
const TOO_LATE = ["SUPERVISOR_CLOSED", "HOST_UNAVAILABLE", "JOB_NOT_RUNNING"];

/** A job of the test. */
interface RacedJob {
  readonly id: string;
  readonly exitCode: number;
  readonly text: string;
  /** The file that gets a line at each start. */
  readonly startFile: string;
}

/** One race. */
class Race implements AsyncDisposable {
  readonly #random: Random;
  readonly #directory: string;
  readonly #hosts: LocalHosts;
  readonly #mayKill: boolean;
  readonly #killed: JobHost[] = [];
  readonly #jobs: RacedJob[] = [];
  readonly #failures: Promise<unknown>[] = [];
  #supervisor: Supervisor;

  /** @param mayKill true when hosts die with their jobs, which are LOST then */
  constructor(random: Random, directory: string, mayKill: boolean) {
    this.#random = random;
    this.#directory = directory;
    this.#mayKill = mayKill;
    this.#hosts = new LocalHosts(directory);
    this.#supervisor = this.#open();
  }

  #open(): Supervisor {
    return new Supervisor({ directory: this.#directory, hosts: this.#hosts });
  }

  async run(): Promise<void> {
    for (let step = 0; step < STEPS; step++) await this.#step();
    for (const { id } of this.#jobs) await deadline(this.#supervisor.start(id), "a start");
    for (const error of await deadline(Promise.all(this.#failures), "all calls")) {
      if (error !== undefined) assert.ok(TOO_LATE.includes((error as { code?: string }).code ?? ""), String(error));
    }
    for (const job of this.#jobs) await this.#check(job);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#supervisor.close();
    for (const host of this.#killed) {
      await host.stopJobs(0);
      await host[Symbol.asyncDispose]();
    }
    await this.#hosts[Symbol.asyncDispose]();
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const supervisor = this.#supervisor;
    const action = random.next();
    const job = random.pick(this.#jobs);
    if (job === undefined || action < 0.35) await this.#add();
    else if (action < 0.5) this.#call(supervisor.start(job.id));
    else if (action < 0.6) this.#call(supervisor.status(job.id, { usage: random.chance(0.5) }));
    else if (action < 0.7) this.#call(Array.fromAsync(supervisor.watchOutput(job.id)));
    else if (action < 0.75) this.#breakLink();
    else if (action < 0.8) await this.#restart(true);
    else if (action < 0.85) await this.#restart(false);
    else if (action < 0.88 && this.#mayKill) this.#kill();
    else await new Promise((resolve) => setTimeout(resolve, random.below(20)));
  }

  async #add(): Promise<void> {
    const startFile = join(this.#directory, `start-${this.#jobs.length}`);
    const exitCode = this.#random.below(100);
    const text = "x".repeat(this.#random.below(20_000));
    const script = `echo >> ${startFile}; printf %s "$TEXT"; sleep 0.0${this.#random.below(9)}; exit ${exitCode}`;
    const id = await this.#supervisor.add("sh", ["-c", script], { env: { TEXT: text } });
    this.#jobs.push({ id, exitCode, text, startFile });
    this.#call(this.#supervisor.start(id));
  }

  #call(call: Promise<unknown>): void {
    this.#failures.push(call.then(() => undefined, (error) => error));
  }

  #breakLink(): void {
    if (this.#hasHost) this.#hosts.link.break(new Error("The link is broken"));
  }

  #kill(): void {
    if (this.#hasHost) this.#killed.push(this.#hosts.kill());
  }

  get #hasHost(): boolean {
    try {
      return this.#hosts.current !== undefined;
    } catch {
      return false; // None was launched since the last one was replaced.
    }
  }

  /** @param isNewer true when the next supervisor is of a newer version */
  async #restart(isNewer: boolean): Promise<void> {
    if (isNewer) this.#hosts.replaceCurrent();
    await deadline(this.#supervisor.close(), "the close of a supervisor");
    this.#supervisor = this.#open();
  }

  async #check({ id, exitCode, text, startFile }: RacedJob): Promise<void> {
    const output = await read(this.#supervisor.watchOutput(id));
    const { status } = output.end;
    if (this.#mayKill && status.state === "LOST") return;
    assert.deepEqual([status.state, status.exitCode, status.error], ["EXITED", exitCode, undefined]);
    assert.ok(output.text === text, `${output.text.length} bytes, not ${text.length}`);
    assert.equal(await Deno.readTextFile(startFile), "\n", "It ran once");
  }
}

for (const mayKill of [false, true]) {
  const what = mayKill ? "job hosts die" : "supervisors and links come and go";
  Deno.test(`each job runs once, and no output is lost or doubled, while ${what}`, async () => {
    await using temporary = await tempDir();
    await using race = new Race(new Random(seedFor(what)), temporary.path, mayKill);
    await race.run();
  });
}
