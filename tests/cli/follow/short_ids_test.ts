/** The shown beginnings of ids: each names one job. */
import assert from "node:assert/strict";
import { resolveJob } from "../../../cli/follow/resolve.ts";
import { shortIds } from "../../../cli/follow/short_ids.ts";
import type { JobWorkerClient } from "../../../proto/service.ts";
import type { JobStatus } from "../../../proto/teleport/v1/job_worker.ts";
import { newJobId } from "../../../worker/job/id.ts";
import { jobStatus } from "../../support/cli_messages.ts";

/** A server with these jobs, which answers as the real one. */
function serverOf(jobs: readonly JobStatus[]) {
  const asked: Parameters<JobWorkerClient["List"]>[0][] = [];
  const List: JobWorkerClient["List"] = (request) => {
    asked.push(request);
    const size = request.page_size || 100;
    const fitting = jobs.filter(({ id }) => id.startsWith(request.id_prefix ?? ""));
    return Promise.resolve({ jobs: fitting.slice(0, size), next_page_token: fitting.length > size ? "x" : "" });
  };
  const WhoAmI: JobWorkerClient["WhoAmI"] = () => Promise.reject(new Error("Not needed"));
  return { asked, calls: { List, WhoAmI } };
}

/** Jobs that were registered as fast as possible, so several have the same millisecond. */
function crowd(count: number): JobStatus[] {
  return Array.from({ length: count }, () => jobStatus({ id: newJobId() }));
}

for (
  const [what, count, isComplete] of [["all jobs", 500, true], ["a part", 500, false], [
    "a part of many",
    3_000,
    false,
  ]] as const
) {
  Deno.test(`shortIds() of ${what} are found again by what is shown`, async () => {
    const all = crowd(count);
    const shown = isComplete ? all : all.filter((_, index) => index % 7 === 0);
    const { asked, calls } = serverOf(all);
    const short = await shortIds(calls, shown, { isComplete });
    assert.equal(asked.length, isComplete ? 0 : 1);
    for (const { id } of shown.slice(0, 200)) {
      assert.equal(await resolveJob(calls, short(id)), id, short(id));
    }
  });
}

Deno.test("shortIds() shows 13 characters of a job that is alone in its millisecond", async () => {
  const ids = ["019a3f5c-7f2a-7abc-8def-0123456789ab", "019a3f5c-7f2b-7abc-8def-0123456789ab"];
  const short = await shortIds(serverOf([]).calls, ids.map((id) => jobStatus({ id })), { isComplete: true });
  assert.deepEqual(ids.map(short), ["019a3f5c-7f2a", "019a3f5c-7f2b"]);
  assert.equal(short("other"), "other");
});

Deno.test("shortIds() shows ids with their counter when the second call fails", async () => {
  const List = () => Promise.reject(new Error("Cut"));
  const short = await shortIds({ List }, [jobStatus({ id: "019a3f5c-7f2a-7abc-8def-0123456789ab" })], {
    isComplete: false,
  });
  assert.equal(short("019a3f5c-7f2a-7abc-8def-0123456789ab"), "019a3f5c-7f2a-7abc");
});
