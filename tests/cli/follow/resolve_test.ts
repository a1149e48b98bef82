/** Jobs by full id, by the beginning of an id, and by name. */
import assert from "node:assert/strict";
import { resolveJob, resolveJobs } from "../../../cli/follow/resolve.ts";
import type { JobWorkerClient, Sent } from "../../../proto/service.ts";
import type { JobStatus, ListRequest } from "../../../proto/teleport/v1/job_worker.ts";
import { exited, jobStatus, running } from "../../support/cli_messages.ts";

/** Returns a full id with this beginning. */
function id(start: string): string {
  const pattern = "00000000-0000-7000-8000-000000000000";
  return start + pattern.slice(start.length);
}

/** A server with these jobs, newest first, for the user "ada". */
class Server {
  readonly lists: Sent<ListRequest>[] = [];
  whoAmI = 0;

  constructor(readonly jobs: readonly JobStatus[], readonly options: { filters?: boolean; hidesFirst?: number } = {}) {}

  readonly calls = {
    List: (request: Sent<ListRequest>) => {
      this.lists.push(request);
      const { name = "", id_prefix: prefix = "", owner = "", states = [], page_size: size = 100, page_token } = request;
      const fits = (job: JobStatus) =>
        this.options.filters === false ||
        ((name === "" || job.name === name) && job.id.startsWith(prefix) && (owner === "" || job.owner === owner) &&
          (states.length === 0 || states.includes(job.state)));
      const at = Number(page_token || 0);
      const all = this.jobs.filter(fits);
      const hidden = this.options.hidesFirst ?? 0;
      return Promise.resolve({
        jobs: all.slice(at, at + size).filter((_, index) => at + index >= hidden),
        next_page_token: at + size < all.length ? `${at + size}` : "",
      });
    },
    WhoAmI: () => {
      this.whoAmI++;
      return Promise.resolve({ user: "ada" });
    },
  } as unknown as JobWorkerClient;
}

Deno.test("resolveJob() returns a full id without a call", async () => {
  const server = new Server([]);
  assert.equal(await resolveJob(server.calls, id("0193")), id("0193"));
  assert.equal(await resolveJob(server.calls, id("0193").toUpperCase()), id("0193").toUpperCase());
  assert.equal(server.lists.length, 0);
});

Deno.test("resolveJob() finds a job by the only id that begins so, in upper case too", async () => {
  const server = new Server([jobStatus({ id: id("0193a") }), jobStatus({ id: id("0193b") })]);
  for (const text of ["0193a", "0193A", id("0193a").slice(0, 35)]) {
    assert.equal(await resolveJob(server.calls, text), id("0193a"));
  }
  assert.equal(server.lists.length, 3);
  await assert.rejects(resolveJob(server.calls, "0193c"), { message: /^Unknown job "0193c"/ });
});

Deno.test("resolveJob() lists at most ten jobs that a prefix could be", async () => {
  const jobs = Array.from({ length: 30 }, (_, at) => jobStatus({ id: id(`0193${at + 10}`), command: "x".repeat(100) }));
  const message = await resolveJob(new Server(jobs.slice(0, 2)).calls, "0193").catch((error) => error.message);
  assert.match(message, /^Job "0193" could be 019310.* \(x{30}, INITIAL, of ada\), 019311.*: give more of its id$/);
  const many = await resolveJob(new Server(jobs).calls, "0193").catch((error) => error.message);
  assert.equal(many.match(/0193\d\d/g).length, 10);
  assert.match(many, /, and others: give more of its id$/);
});

Deno.test("resolveJob() finds a job after pages of jobs that the caller may not see", async () => {
  const jobs = Array.from({ length: 150 }, (_, at) => jobStatus({ id: id(`0193${at + 100}`) }));
  assert.equal(await resolveJob(new Server(jobs, { hidesFirst: 149 }).calls, "0193"), jobs[149]?.id);
});

Deno.test("resolveJob() finds nothing on an older server, which ignores the filters", async () => {
  const server = new Server([jobStatus({ id: id("0194") })], { filters: false });
  for (const text of ["0193", "web"]) await assert.rejects(resolveJob(server.calls, text), { message: /^Unknown job/ });
});

Deno.test("resolveJob() takes a name for the newest job of the user", async () => {
  const server = new Server([
    jobStatus({ ...running(), id: id("0193f"), name: "web", owner: "bob" }),
    jobStatus({ ...running(), id: id("0193b"), name: "web" }),
    jobStatus({ ...exited(0), id: id("0193a"), name: "web" }),
    jobStatus({ ...exited(0), id: id("01939"), name: "Web" }),
  ]);
  assert.equal(await resolveJob(server.calls, "web"), id("0193b"));
  assert.equal(server.whoAmI, 1);
  assert.equal(await resolveJob(server.calls, "Web"), id("01939"));
  assert.equal(server.whoAmI, 1, "One call is enough when all jobs are of one user");
  await assert.rejects(resolveJob(server.calls, "WEB"), { message: /^Unknown job "WEB"/ });
});

Deno.test("resolveJob() takes a text for the beginning of an id only when it begins with a digit", async () => {
  const names = ["db", "cafe", "f-0", "2024-report", "0x1"];
  const server = new Server(names.map((name, at) => jobStatus({ id: id(`0193${at}`), name })));
  for (const [at, name] of names.entries()) assert.equal(await resolveJob(server.calls, name), id(`0193${at}`));
  assert.ok(server.lists.every(({ id_prefix: prefix = "" }) => prefix === ""));
  await assert.rejects(resolveJob(server.calls, "2024-cafe"), { message: /^Unknown job "2024-cafe"/ });
  assert.equal(server.lists.at(-1)?.id_prefix, "2024-cafe");
});

Deno.test("resolveJob() takes a name for an ended job of the user before one of others that runs", async () => {
  const others = Array.from(
    { length: 300 },
    (_, at) => jobStatus({ ...running(), id: id(`0193${at}f`), owner: `u${at}` }),
  );
  const jobs = [...others, jobStatus({ ...exited(0), id: id("01930") })].map((job) => ({ ...job, name: "web" }));
  assert.equal(await resolveJob(new Server(jobs).calls, "web"), id("01930"));
});

Deno.test("resolveJob() takes a name for another user's job only when there is one that fits", async () => {
  const of = (owner: string, start: string, status = running()) =>
    jobStatus({ ...status, id: id(start), name: "web", owner });
  const runs = new Server([of("bob", "01933", exited(0)), of("eve", "01932"), of("bob", "01931", exited(0))]);
  assert.equal(await resolveJob(runs.calls, "web"), id("01932"));
  const two = await resolveJob(new Server([of("bob", "01933"), of("eve", "01932")]).calls, "web").catch((e) =>
    e.message
  );
  assert.match(
    two,
    /^Job "web" could be 01933.* \(web, RUNNING, of bob\), 01932.* \(web, RUNNING, of eve\): give its id$/,
  );
  const ended = new Server([of("bob", "01933", exited(0)), of("eve", "01932", exited(1))]);
  await assert.rejects(resolveJob(ended.calls, "web"), { message: /of bob\), .* of eve\)/ });
});

Deno.test("resolveJob() refuses a text that is neither id nor name without a call", async () => {
  const server = new Server([]);
  for (const text of ["a/web", "we b", "web\x1b[31m", "../../x", "w".repeat(256), ".web", "_web", "wéb", "web\n"]) {
    await assert.rejects(resolveJob(server.calls, text), { name: "UnresolvedJobError", message: /^Unknown job "/ });
  }
  await assert.rejects(resolveJob(server.calls, ""), { name: "UsageError" });
  assert.equal(server.lists.length, 0);
});

Deno.test("resolveJobs() keeps the order of the texts, and at most 32 calls run at a time", async () => {
  const jobs = Array.from({ length: 80 }, (_, at) => jobStatus({ id: id(`0193${at + 100}`) }));
  const { calls } = new Server(jobs);
  let current = 0;
  let most = 0;
  const List = async (...request: Parameters<typeof calls.List>) => {
    most = Math.max(most, ++current);
    await Promise.resolve();
    current--;
    return await calls.List(...request);
  };
  assert.deepEqual(
    await resolveJobs({ ...calls, List }, jobs.map(({ id }) => id.slice(0, 7))),
    jobs.map(({ id }) => id),
  );
  assert.equal(most, 32);
});
