/**
 * Tests the supervisor against a plain model with random operations: both agree after every step and every restart.
 * Long: the class that runs the operations is the test.
 * Slow: 800 operations with a check after each.
 */
import assert from "node:assert/strict";
import { type JobHosts, type JobStatus, type State, Supervisor, TeleportError } from "../../../mod.ts";
import { commandOf, type Kind, Model, type ModelFilter, type ModelJob, type Outcome } from "./model.ts";
import { Random, seedFor } from "../../support/random.ts";
import { defined } from "../../../base/defined.ts";
import { jobCounts } from "../../support/job_counts.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { LocalHosts } from "./job_host_fixture.ts";

/** The full size is 10,000 operations. */
const OPERATIONS = Number(Deno.env.get("TELEPORT_TEST_OPERATIONS") ?? 800);
const SEED = seedFor("model_test");

/** The most jobs. Each step compares all of them. */
const MAX_JOBS = 30;
const MISSING = "01890000-0000-7000-8000-000000000000";
const OWNERS = ["ann", "bob", "eve"] as const;
const KINDS: readonly Kind[] = ["exits", "exits", "writes", "writes", "stays", "stays", "missing"];
const STATES: readonly State[] = ["INITIAL", "RUNNING", "EXITED", "KILLED", "FAILED", "LOST"];

/** The result of a call. */
async function outcomeOf(call: () => Promise<unknown>): Promise<Outcome> {
  try {
    await call();
    return "OK";
  } catch (error) {
    if (error instanceof TeleportError) return error.code as Outcome;
    throw error;
  }
}

/** The supervisor and the model. */
class Sides {
  readonly model = new Model(MAX_JOBS);
  readonly directory: string;
  readonly #random: Random;
  readonly #hosts: JobHosts | undefined;
  supervisor: Supervisor;
  /** The statuses that a watcher of all jobs got, by id. Its token resumes it, also after a restart. */
  readonly #told = new Map<string, State>();
  #token: string | undefined;

  /** @param hosts the job hosts, in which jobs continue over a restart; absent: the supervisor runs the jobs */
  constructor(directory: string, random: Random, hosts?: JobHosts) {
    this.directory = directory;
    this.#random = random;
    this.#hosts = hosts;
    this.supervisor = this.#supervise();
  }

  #supervise(): Supervisor {
    return new Supervisor({ directory: this.directory, maxJobs: MAX_JOBS, ...defined({ hosts: this.#hosts }) });
  }

  #pick<T>(items: readonly T[]): T {
    return this.#random.pick(items);
  }

  /** Returns a job of the model, or sometimes one that does not exist. */
  #anyId(): string {
    return this.#random.chance(0.03) ? MISSING : this.#pick(this.model.jobs)?.id ?? MISSING;
  }

  /** Runs one operation and checks its result. Returns a description of it. */
  async step(): Promise<string> {
    const dice = this.#random.next();
    if (dice < 0.30) return await this.#add();
    if (dice < 0.52) return await this.#start();
    if (dice < 0.62) return await this.#stop();
    if (dice < 0.68) return await this.#signal();
    if (dice < 0.78) return await this.#remove();
    if (dice < 0.88) return await this.#list();
    if (dice < 0.93) return await this.#output();
    if (dice < 0.99) return await this.#watch();
    return await this.#restart();
  }

  async #add(): Promise<string> {
    const job = {
      kind: this.#pick(KINDS),
      exitCode: this.#random.below(3),
      owner: this.#pick(OWNERS),
      labels: { part: `${this.#random.below(3)}`, ...(this.#random.chance(0.3) ? { rare: "yes" } : {}) },
      requestId: this.#random.chance(0.3) ? `request-${this.#random.below(20)}` : undefined,
    };
    const wanted = this.model.canAdd(job);
    const [command, ...args] = commandOf(job);
    const { owner, labels, requestId } = job;
    const options = { owner, labels, ...defined({ requestId }) };
    let id = "";
    const outcome = await outcomeOf(async () => id = await this.supervisor.add(command, args, options));
    const what = `add ${JSON.stringify(job)}`;
    assert.equal(outcome, wanted.outcome, what);
    if (outcome === "OK" && wanted.id === undefined) this.model.add({ id, ...job });
    else if (outcome === "OK") assert.equal(id, wanted.id, what);
    return what;
  }

  async #start(): Promise<string> {
    const id = this.#anyId();
    const outcome = await outcomeOf(() => this.supervisor.start(id));
    assert.equal(outcome, this.model.start(id));
    await this.#settle(id);
    return `start ${id}`;
  }

  /** Waits until the supervisor is in the same state as the model. */
  async #settle(id: string): Promise<void> {
    const job = this.model.find(id);
    if (job === undefined) return;
    for await (const { state, endedAt } of this.supervisor.watchStatus(id)) {
      if (endedAt !== undefined) job.endedAt = endedAt.getTime();
      if (state === job.state) break;
    }
  }

  async #stop(): Promise<string> {
    const id = this.#anyId();
    const by = this.#pick(OWNERS);
    assert.equal(await outcomeOf(() => this.supervisor.stop(id, { by })), this.model.stop(id, by));
    await this.#settle(id);
    return `stop ${id}`;
  }

  async #signal(): Promise<string> {
    const id = this.#anyId();
    const [signal, by] = [this.#pick(["SIGTERM", "SIGUSR1", "SIGKILL"]), this.#pick(OWNERS)];
    assert.equal(await outcomeOf(() => this.supervisor.signal(id, signal, { by })), this.model.signal(id, signal, by));
    await this.#settle(id);
    return `signal ${id} ${signal}`;
  }

  async #remove(): Promise<string> {
    const id = this.#anyId();
    assert.equal(await outcomeOf(() => this.supervisor.remove(id)), this.model.remove(id));
    return `remove ${id}`;
  }

  async #list(): Promise<string> {
    const filter: ModelFilter = {
      ...(this.#random.chance(0.4) ? { states: [this.#pick(STATES), this.#pick(STATES)] } : {}),
      ...(this.#random.chance(0.3) ? { owner: this.#pick([...OWNERS, "nobody"]) } : {}),
      ...(this.#random.chance(0.3)
        ? { labels: this.#pick([{ part: "1" }, { rare: "yes" }, { rare: "yes", part: "2" }]) }
        : {}),
      ...(this.#random.chance(0.2) ? { command: this.#pick(["sleep", "exit 1", "out of", "%"]) } : {}),
    };
    const pageSize = 1 + this.#random.below(8);
    const ids: string[] = [];
    let pageToken: string | undefined;
    do {
      const page = await this.supervisor.list({
        ...filter,
        pageSize,
        ...defined({ pageToken }),
      });
      ids.push(...page.jobs.map(({ id }) => id));
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
    const what = `list ${JSON.stringify(filter)} by ${pageSize}`;
    assert.deepEqual(ids, this.model.list(filter).map(({ id }) => id), what);
    return what;
  }

  async #output(): Promise<string> {
    const id = this.#anyId();
    const job = this.model.find(id);
    let text = "";
    const outcome = await outcomeOf(async () => {
      for await (const { data } of this.supervisor.watchOutput(id, { follow: false })) {
        text += new TextDecoder().decode(data);
      }
    });
    assert.equal(outcome, job === undefined ? "JOB_NOT_FOUND" : "OK");
    assert.equal(text, job?.output ?? "");
    return `output ${id}`;
  }

  /** Reads all events since the last call, up to a job that is added to mark the end. */
  async #watch(): Promise<string> {
    const job = { kind: "exits", exitCode: 0, owner: "mark", labels: {}, requestId: undefined } as const;
    if (this.model.canAdd(job).outcome !== "OK") return "watch nothing";
    const id = await this.supervisor.add("true", [], { owner: job.owner });
    this.model.add({ id, ...job });
    const token = this.#token;
    for await (const event of this.supervisor.watchJobs({}, token === undefined ? {} : { token })) {
      this.#token = event.token;
      if (event.type === "current") continue;
      if (event.type === "removed") this.#told.delete(event.status.id);
      else this.#told.set(event.status.id, event.status.state);
      if (event.status.id === id) break;
    }
    const told = [...this.#told].sort();
    assert.deepEqual(told, this.model.jobs.map(({ id, state }): [string, State] => [id, state]).sort());
    await this.supervisor.remove(id);
    this.model.remove(id);
    return "watch";
  }

  async #restart(): Promise<string> {
    await this.supervisor.close();
    const running = this.model.jobs.filter(({ state }) => state === "RUNNING");
    if (this.#hosts === undefined) this.model.restart();
    this.supervisor = this.#supervise();
    for (const { id } of running) await this.#settle(id);
    return "restart";
  }

  /** Compares everything. */
  async check(): Promise<void> {
    const { jobs } = await this.supervisor.list({ pageSize: 1_000 });
    assert.deepEqual(jobs.map(shown), this.model.list({}).map(expected));
    const { jobs: count, running } = await jobCounts(this.supervisor);
    assert.equal(count, this.model.jobs.length);
    assert.equal(running, this.model.jobs.filter(({ state }) => state === "RUNNING").length);
  }
}

function shown(
  { id, state, exitCode, signal, reason, stoppedBy, owner, labels, command, args, stdoutBytes }: JobStatus,
) {
  return {
    id,
    state,
    exitCode,
    signal,
    reason,
    stoppedBy,
    owner,
    labels: { ...labels },
    line: [command, ...args],
    stdoutBytes,
  };
}

function expected(job: ModelJob) {
  const { id, state, reason, signal, stoppedBy, owner, labels } = job;
  const exitCode = state === "EXITED" ? job.exitCode : undefined;
  return {
    id,
    state,
    exitCode,
    signal,
    reason,
    stoppedBy,
    owner,
    labels,
    line: commandOf(job),
    stdoutBytes: job.output.length,
  };
}

Deno.test(`the supervisor agrees with a plain model after each of ${OPERATIONS} random operations`, async () => {
  await using temporary = await tempDir();
  await agree(new Sides(temporary.path, new Random(SEED)), OPERATIONS);
});

Deno.test(`the supervisor agrees with a plain model after each of ${OPERATIONS / 2} operations on job hosts`, async () => {
  await using temporary = await tempDir();
  await using hosts = new LocalHosts(temporary.path);
  await agree(new Sides(temporary.path, new Random(SEED), hosts), OPERATIONS / 2);
});

async function agree(sides: Sides, operations: number): Promise<void> {
  const steps: string[] = [];
  try {
    for (let index = 0; index < operations; index++) {
      steps.push(await sides.step());
      await sides.check();
    }
  } catch (cause) {
    throw new Error(
      `Step ${steps.length + 1} with TELEPORT_TEST_SEED=${SEED}; the steps before: ${steps.slice(-5).join("; ")}`,
      { cause },
    );
  } finally {
    await sides.supervisor.close();
  }
}
