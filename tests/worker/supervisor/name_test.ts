/** Names of jobs: their form, who has one, and what is found by it. */
import assert from "node:assert/strict";
import { Supervisor } from "../../../mod.ts";
import { finalStatus } from "../../support/final_status.ts";
import { needingDisk, onDisk } from "../../support/small_disk.ts";
import { tempDir } from "../../support/temp_dir.ts";

const GOOD = [
  "web",
  "db",
  "cafe",
  "face",
  "cafe-BABE",
  "2024-report",
  "Web",
  "a.b",
  "0x",
  "g",
  "1.2.3",
  "build-7_x",
  "x".repeat(64),
  "-".padStart(2, "z"),
];

const BAD = [
  ["", "empty"],
  ["x".repeat(65), "65 characters"],
  ["x".repeat(256), "256 characters"],
  ["01890000-0000-7000-8000-000000000000", "an id"],
  ["0189", "the beginning of an id"],
  ["2024", "a year, which can begin an id"],
  ["1cafe-BABE", "a digit, and only hexadecimal digits and dashes after it"],
  ["0-" + "f".repeat(60), "more hexadecimal digits than an id has"],
  ["cafe0000-0000-7000-8000-000000000000", "a UUID that begins with a letter"],
  ["CAFE0000-0000-7000-8000-00000000000A", "a UUID in upper case"],
  ["a/web", "a slash"],
  ["we b", "a space"],
  ["web\n", "a line feed"],
  ["web\x1b[31m", "a control character"],
  ["web\0", "a NUL byte"],
  [".web", "a dot in front"],
  ["_web", "an underscore in front"],
  ["-web", "a dash in front"],
  ["wéb", "a letter that is not ASCII"],
  ["\ud800web", "half of a surrogate pair"],
] as const;

for (const name of GOOD) {
  Deno.test(`add() takes the name ${JSON.stringify(name)}`, async () => {
    await using supervisor = new Supervisor();
    const id = await supervisor.add("true", [], { name });
    assert.equal((await supervisor.status(id)).name, name);
  });
}

for (const [name, what] of BAD) {
  Deno.test(`add() refuses a name: ${what}`, async () => {
    await using supervisor = new Supervisor();
    await assert.rejects(supervisor.add("true", [], { name }), { code: "INVALID_NAME", message: /: give 1 to 64 / });
    assert.deepEqual((await supervisor.list()).jobs, []);
  });
}

Deno.test("add() gives a name to one job of an owner until that job has ended", async () => {
  await using supervisor = new Supervisor();
  const options = { name: "web", owner: "ann" };
  const id = await supervisor.add("true", [], options);
  await assert.rejects(supervisor.add("true", [], options), { code: "NAME_TAKEN", message: new RegExp(id) });
  await supervisor.add("true", [], { ...options, owner: "bob" });
  await supervisor.add("true", [], { ...options, name: "Web" });
  await supervisor.add("true", [], { name: "web" });
  await supervisor.start(id);
  await finalStatus(supervisor, id);
  const second = await supervisor.add("true", [], options);
  await assert.rejects(supervisor.add("true", [], options), { code: "NAME_TAKEN" });
  await supervisor.remove(second);
  await supervisor.add("true", [], options);
});

Deno.test("add() gives a name once to concurrent calls, and once to a repeated request", async () => {
  await using supervisor = new Supervisor();
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, () => supervisor.add("true", [], { name: "web", owner: "ann" })),
  );
  assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
  const repeated = { name: "sql", owner: "ann", requestId: "r" };
  const ids = await Promise.all(Array.from({ length: 5 }, () => supervisor.add("true", [], repeated)));
  assert.equal(new Set(ids).size, 1);
  await assert.rejects(supervisor.add("true", [], { ...repeated, name: "sql2" }), { code: "REQUEST_ID_REUSED" });
});

Deno.test("a name stays taken after a restart, and is free after the end", async () => {
  await using temporary = await tempDir();
  const directory = temporary.path;
  const options = { name: "web", owner: "ann" };
  let id: string;
  {
    await using supervisor = new Supervisor({ directory });
    id = await supervisor.add("true", [], options);
  }
  await using supervisor = new Supervisor({ directory });
  assert.equal((await supervisor.status(id)).name, "web");
  await assert.rejects(supervisor.add("true", [], options), { code: "NAME_TAKEN" });
  await supervisor.start(id);
  await finalStatus(supervisor, id);
  await supervisor.add("true", [], options);
});

Deno.test("list() finds jobs by name, page by page, in every order", async () => {
  await using supervisor = new Supervisor();
  const ids: string[] = [];
  for (let count = 0; count < 5; count++) {
    const id = await supervisor.add("true", [], { name: "web", owner: "ann", labels: { a: `${count}` } });
    await supervisor.start(id);
    await finalStatus(supervisor, id);
    ids.unshift(id);
    await supervisor.add("true", [], { name: `other${count}`, owner: "ann" });
  }
  for (const orderBy of ["registeredAt", "startedAt", "endedAt"] as const) {
    const found: string[] = [];
    let page = await supervisor.list({ name: "web", orderBy, pageSize: 2 });
    found.push(...page.jobs.map(({ id }) => id));
    while (page.nextPageToken !== undefined) {
      const { nextPageToken: pageToken } = page;
      page = await supervisor.list({ name: "web", orderBy, pageSize: 2, pageToken });
      found.push(...page.jobs.map(({ id }) => id));
      await assert.rejects(supervisor.list({ name: "sql", orderBy, pageToken }), { code: "INVALID_ARGUMENT" });
    }
    assert.deepEqual(found, ids);
  }
  assert.deepEqual((await supervisor.list({ name: "WEB" })).jobs, []);
  assert.deepEqual((await supervisor.list({ name: "web", labels: { a: "1" } })).jobs.map(({ id }) => id), [ids[3]]);
  assert.deepEqual((await supervisor.list({ name: "web", states: ["RUNNING"] })).jobs, []);
  assert.deepEqual((await supervisor.list({ name: "web", owner: "bob" })).jobs, []);
});

Deno.test("list() finds jobs by the beginning of their ids, in upper case too", async () => {
  await using supervisor = new Supervisor();
  const ids: string[] = [];
  for (let count = 0; count < 5; count++) ids.unshift(await supervisor.add("true"));
  const found = async (idPrefix: string) => (await supervisor.list({ idPrefix })).jobs.map(({ id }) => id);
  for (const id of ids) {
    for (const prefix of [id, id.toUpperCase(), id.slice(0, 20)]) {
      assert.deepEqual(await found(prefix), ids.filter((other) => other.startsWith(prefix.toLowerCase())));
    }
  }
  assert.deepEqual(await found("0"), ids);
  assert.deepEqual(await found("f"), []);
  for (const idPrefix of ["", "g", "0%", "0_", " ", "0".repeat(37)]) {
    await assert.rejects(supervisor.list({ idPrefix }), { code: "INVALID_ARGUMENT" });
  }
});

Deno.test({
  ...needingDisk("a name is free after a full disk refused the job that asked for it"),
  fn: () =>
    onDisk(8, async (disk) => {
      await using supervisor = new Supervisor({ directory: `${disk}/data`, onError: () => {} });
      const options = { owner: "ann", name: "web" };
      await Deno.writeFile(`${disk}/ballast`, new Uint8Array(10_000_000)).catch(() => {});
      // A small job may still fit into a page of the database that is half full.
      const large = ["x".repeat(100_000)];
      await assert.rejects(supervisor.add("true", large, options), { code: "NOT_RECORDED" });
      assert.deepEqual((await supervisor.list({ name: "web" })).jobs, []);
      await Deno.remove(`${disk}/ballast`);
      const id = await supervisor.add("true", large, options);
      await assert.rejects(supervisor.add("true", [], options), { code: "NAME_TAKEN", message: new RegExp(id) });
    }),
});
