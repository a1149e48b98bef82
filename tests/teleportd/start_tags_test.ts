/** The tags that jobs carry: each its own, inherited whatever a process does, and nobody else's. */
import assert from "node:assert/strict";
import { openStartTags } from "../../teleportd/start_tags.ts";
import { membersOf } from "../../worker/process_members.ts";
import { readEntry, readHardLimit, scanProcesses } from "../../worker/process_table.ts";

/** The hard limit of a process that a shell starts now. */
function carried(script = ""): string {
  const { stdout } = new Deno.Command("sh", {
    args: ["-c", `${script} sed -n "s/^Max realtime timeout *[^ ]* *//p" /proc/self/limits`],
  }).outputSync();
  return new TextDecoder().decode(stdout).trim().split(/ +/)[0] ?? "";
}

Deno.test("run() gives each start a tag of its own, which new sessions and empty environments keep", () => {
  using tags = openStartTags();
  assert.ok(tags !== undefined);
  const before = carried();
  const first = tags.run((tag) => ({ tag, carried: carried("setsid env -i") }));
  const second = tags.run((tag) => ({ tag, carried: carried() }));
  assert.equal(first.carried, first.tag);
  assert.equal(second.carried, second.tag);
  const all = new Set([before, first.tag, second.tag, carried()]);
  assert.equal(all.size, 4, "What the server starts itself carries no job's tag");
  for (const tag of all) assert.match(tag ?? "", /^[0-9]{19}$/);
});

Deno.test("run() leaves the server without the job's tag also when the start throws", () => {
  using tags = openStartTags();
  let tried: string | undefined;
  assert.throws(() =>
    tags?.run((tag) => {
      tried = tag;
      throw new Error("no such program");
    }), /no such program/);
  assert.notEqual(readHardLimit("realtime timeout", { pid: Deno.pid }), tried);
});

Deno.test("two servers give out different tags, also one in a job of the other", () => {
  using outer = openStartTags();
  using inner = openStartTags();
  const given = [outer, inner, outer, inner].map((tags) => tags?.run((tag) => tag));
  assert.equal(new Set(given).size, 4);
});

Deno.test("membersOf() finds by its tag what has no mark, and no process of another job", async () => {
  using tags = openStartTags();
  assert.ok(tags !== undefined);
  const start = () =>
    new Deno.Command("sleep", { args: ["1000"], clearEnv: true, detached: true, stdin: "null" }).spawn();
  const own = tags.run((tag) => ({ tag, child: start() }));
  const others = [tags.run(start), start()];
  try {
    const entries = await scanProcesses() ?? [];
    const job = { leader: 2 ** 22 + 1, startTime: readEntry(own.child.pid)?.startTime ?? 0, mark: "none" };
    assert.deepEqual(membersOf(entries, job), []);
    const found = membersOf(entries, { ...job, ...(own.tag === undefined ? {} : { tag: own.tag }) });
    assert.deepEqual(found.map(({ pid }) => pid), [own.child.pid]);
  } finally {
    for (const child of [own.child, ...others]) child.kill("SIGKILL");
    await Promise.all([own.child, ...others].map(({ status }) => status));
  }
});
