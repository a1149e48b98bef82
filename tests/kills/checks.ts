/** Checks of a whole place: no process is left over, no job runs twice, and the directory is intact. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { deadline, eventually } from "../support/deadline.ts";
import type { Place } from "./place.ts";
import { jobProcesses } from "./processes.ts";

/** The longest time in which a stopped process must end, in milliseconds. */
const END_MS = 120_000;

/** Gives all jobs of a place. */
export async function allJobs(place: Place): Promise<JobStatus[]> {
  const jobs: JobStatus[] = [];
  let page_token = "";
  do {
    const page = await place.calls.List({ page_size: 1_000, page_token });
    jobs.push(...page.jobs);
    page_token = page.next_page_token;
  } while (page_token !== "");
  return jobs;
}

/** Checks that only running jobs have processes, and that each of these is one job: one leader, started once. */
export async function checkProcesses(place: Place): Promise<void> {
  const running = new Map(
    (await allJobs(place))
      .filter(({ state }) => ["STATE_STARTING", "STATE_RUNNING", "STATE_STOPPING"].includes(state))
      .map((job) => [job.id, job]),
  );
  for (const [id, pids] of jobProcesses(place.dir)) {
    assert.ok(running.has(id), `Processes ${pids.join(", ")} belong to job ${id}, which does not run`);
  }
  for (const { id, pid, labels } of running.values()) {
    assert.ok(jobProcesses(place.dir).get(id)?.includes(pid), `Job ${labels.name} (${id}) runs without process ${pid}`);
  }
}

/**
 * Checks that a place has the programs that it must have.
 *
 * @param hosts the number of job hosts
 */
export async function checkPrograms(place: Place, hosts: number): Promise<void> {
  const seen = () => JSON.stringify(place.programs());
  await eventually(
    () => {
      const programs = place.programs();
      return programs.servers.length === 1 && programs.hosts.length === hosts;
    },
    () => `one server and ${hosts} job hosts, not ${seen()}`,
    END_MS,
  );
}

/** Ends the last server in order, and checks that nothing is left once no job runs. */
export async function checkEnd(place: Place): Promise<void> {
  const jobs = await allJobs(place);
  for (const { id, state } of jobs) if (state === "STATE_RUNNING") await place.calls.Stop({ id, grace_ms: 1_000 });
  await checkProcesses(place);
  assert.equal(await deadline(place.stop(), "the end of the server"), 0);
  await eventually(
    () => Object.values(place.programs()).flat().length === 0,
    () => `no server and no job host, not ${JSON.stringify(place.programs())}`,
    END_MS,
  );
  assert.deepEqual([...jobProcesses(place.dir)], []);
  const ids = checkDatabase(`${place.data}/jobs.db`);
  const forgotten = [...Deno.readDirSync(`${place.data}/output`)].filter(({ name }) => !ids.has(name));
  assert.deepEqual(forgotten, [], "Output without a job");
}

/** Checks a database, and gives the ids of its jobs. */
function checkDatabase(path: string): Set<unknown> {
  using database = new DatabaseSync(path);
  const found = database.prepare("PRAGMA integrity_check").all().map((row) => ({ ...row }));
  assert.deepEqual(found, [{ integrity_check: "ok" }]);
  return new Set(database.prepare("SELECT id FROM jobs").all().map(({ id }) => id));
}
