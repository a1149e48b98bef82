/** Damages the database and the output of jobs. Each job is then unchanged, or is reported as damaged. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { TeleportError } from "../../mod.ts";
import { Supervisor } from "../../worker/supervisor/supervisor.ts";
import { assertRefusal, copyDirectory, damageFile, filesBelow } from "../support/damage.ts";
import { Random } from "../support/random.ts";

/** A job before the damage. */
interface Truth {
  readonly id: string;
  readonly text: string;
  readonly args: readonly string[];
  readonly exitCode: number;
}

/** Directories of ended jobs: one of a closed server, one of a killed server. */
export interface DamagedJobs extends AsyncDisposable {
  readonly directory: string;
  readonly jobs: readonly Truth[];
}

/** The number of jobs: enough for several levels of an index and several pages of the database's cache. */
const JOBS = 40;

/** The codes of errors about damage. */
const REFUSALS = ["RECORD_DAMAGED", "OUTPUT_UNAVAILABLE", "STORE_UNUSABLE"];

/** Further codes when an index was damaged while the database was open, or its write-ahead log. */
const ALSO_REFUSALS = [...REFUSALS, "JOB_NOT_FOUND", "NOT_RECORDED"];

/** Makes jobs with different output, in `closed` and in `killed`. */
export async function makeJobs(): Promise<DamagedJobs> {
  const directory = await Deno.makeTempDir({ prefix: "teleport-torture-" });
  const live = join(directory, "live");
  const jobs: Truth[] = [];
  {
    await using supervisor = new Supervisor({ directory: live });
    for (let index = 0; index < JOBS; index++) {
      const text = `this is ${index}\n`.repeat(1 + 40 * (index % 7));
      const args = ["-c", 'printf %s "$1"; exit "$2"', "sh", text, String(index), "x".repeat(1_000 * (index % 20))];
      const id = await supervisor.add("sh", args, {
        owner: `user-${index % 3}`,
        labels: { number: `${index}` },
        requestId: `request-${index}`,
        outputLimit: { maxBytes: 4_000, policy: index % 2 === 0 ? "KEEP_NEWEST" : "BLOCK" },
      });
      await supervisor.start(id);
      for await (const _ of supervisor.watchStatus(id));
      jobs.push({ id, text, args, exitCode: index });
    }
    copyDirectory(live, join(directory, "killed"));
  }
  await Deno.rename(live, join(directory, "closed"));
  return {
    directory,
    jobs,
    async [Symbol.asyncDispose]() {
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/**
 * Damages one file of a copy, before a supervisor opens it or while one has it open, and reads everything.
 *
 * @param seed decides the copy, the file and the damage
 */
export async function damageJobs(made: DamagedJobs, seed: number): Promise<string> {
  const random = new Random(seed);
  const copy = join(made.directory, `copy-${seed}`);
  const from = random.below(2) === 0 ? "closed" : "killed";
  copyDirectory(join(made.directory, from), copy);
  try {
    const files = filesBelow(copy);
    // Most files are logs, but the database holds all jobs.
    const databases = files.filter((path) => path.includes("jobs.db"));
    const path = random.below(3) === 0
      ? files[random.below(files.length)]!
      : databases[random.below(databases.length)]!;
    const whileOpen = random.below(3) === 0;
    const damage = () => `${damageFile(path, random)} in ${path.slice(copy.length + 1)}`;
    let context = `seed ${seed}, ${from}, ${whileOpen ? "while open, " : ""}`;
    if (!whileOpen) context += damage();
    const told: unknown[] = [];
    const warnings: string[] = [];
    let supervisor: Supervisor;
    try {
      supervisor = new Supervisor({
        directory: copy,
        onError: (error) => told.push(error),
        onWarning: (text) => warnings.push(text),
      });
      await supervisor.ready();
    } catch (error) {
      assertRefusal(error, [TeleportError], context);
      assert.ok(REFUSALS.includes((error as TeleportError).code), `${context}: ${error}`);
      return `${context}: refused at start`;
    }
    let refused = 0;
    try {
      if (whileOpen) context += damage();
      // A write-ahead log that was cut between two changes, or emptied, looks complete. All other loss is reported.
      const isCut = /truncated|empty/.test(context);
      const mayLack = whileOpen || (path.endsWith("-wal") && (warnings.length > 0 || isCut));
      for (const job of made.jobs) refused += await askForJob(supervisor, job, context, mayLack);
      refused += await askForAll(supervisor, made.jobs, context, mayLack);
      refused += await changeThings(supervisor, made.jobs, context, mayLack);
      for (const error of told) assertRefusal(error, [TeleportError], context);
    } finally {
      await supervisor.close();
    }
    return `${context}: ${refused} refusals`;
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
}

/** Makes a call, and counts an error about damage. */
async function refusals(act: () => Promise<void>, context: string, mayLack: boolean): Promise<number> {
  try {
    await act();
    return 0;
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    assertRefusal(error, [TeleportError], context);
    const codes = mayLack ? ALSO_REFUSALS : REFUSALS;
    assert.ok(codes.includes((error as TeleportError).code), `${context}: ${error}`);
    return 1;
  }
}

async function askForJob(supervisor: Supervisor, job: Truth, context: string, mayLack: boolean): Promise<number> {
  const status = () =>
    supervisor.status(job.id).then((status) => {
      assert.equal(status.id, job.id, context);
      assert.deepEqual(status.args, job.args, context);
      // A shorter write-ahead log gives an earlier status, which was true then.
      if (status.state === "EXITED") assert.equal(status.exitCode, job.exitCode, context);
      else assert.ok(mayLack, `${context}: ${status.state}`);
    });
  const output = async () => {
    let text = "";
    const decoder = new TextDecoder();
    let dropped = 0;
    for await (const chunk of supervisor.watchOutput(job.id, { follow: false })) {
      text += decoder.decode(chunk.data);
      dropped += chunk.droppedBytes;
    }
    if (mayLack && text === "" && dropped === 0) return;
    assert.equal(job.text.slice(dropped), text, context);
  };
  return await refusals(status, context, mayLack) + await refusals(output, context, mayLack);
}

async function askForAll(
  supervisor: Supervisor,
  jobs: readonly Truth[],
  context: string,
  mayLack: boolean,
): Promise<number> {
  const list = async () => {
    const page = await supervisor.list({ pageSize: 1_000 });
    for (const status of page.jobs) {
      const job = jobs.find(({ id }) => id === status.id);
      assert.ok(job, context);
      assert.deepEqual(status.args, job.args, context);
    }
    if (!mayLack) assert.equal(page.jobs.length, jobs.length, context);
  };
  const own = async () => {
    for (const status of (await supervisor.list({ owner: "user-1" })).jobs) {
      assert.equal(status.owner, "user-1", context);
    }
  };
  const events = async () => {
    for await (const event of supervisor.watchJobs({}, {})) {
      if (event.type === "current") break;
      assert.ok("status" in event && jobs.some(({ id }) => id === event.status.id), context);
    }
  };
  const ended = async () => void await supervisor.list({ orderBy: "endedAt", labels: { number: "3" } });
  let count = 0;
  for (const ask of [list, own, events, ended]) count += await refusals(ask, context, mayLack);
  return count;
}

async function changeThings(
  supervisor: Supervisor,
  [first, second, third]: readonly Truth[],
  context: string,
  mayLack: boolean,
): Promise<number> {
  assert.ok(first && second && third);
  const again = async () => {
    const options = {
      owner: "user-1",
      labels: { number: "1" },
      requestId: "request-1",
      outputLimit: { maxBytes: 4_000, policy: "BLOCK" },
    } as const;
    const id = await supervisor.add("sh", second.args, options);
    if (!mayLack) assert.equal(id, second.id, context);
  };
  const fresh = async () => {
    const id = await supervisor.add("true");
    await supervisor.start(id);
    for await (const _ of supervisor.watchStatus(id));
    assert.equal((await supervisor.status(id)).exitCode, 0, context);
  };
  const remove = () => supervisor.remove(third.id);
  let count = 0;
  for (const act of [again, fresh, remove]) count += await refusals(act, context, mayLack);
  return count;
}
