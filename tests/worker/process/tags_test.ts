/** Tests of the tags of jobs. */
import assert from "node:assert/strict";
import { membersOf } from "../../../worker/process/members.ts";
import { readEntry, readHardLimit, scanProcesses } from "../../../worker/linux/procfs.ts";
import { hasTags, withTag } from "../../../worker/process/tags.ts";
import { defined } from "../../../base/defined.ts";

/** Returns the hard limit of a process that a shell starts now. */
function carried(script = ""): string {
  const { stdout } = new Deno.Command("sh", {
    args: ["-c", `${script} sed -n "s/^Max realtime timeout *[^ ]* *//p" /proc/self/limits`],
  }).outputSync();
  return new TextDecoder().decode(stdout).trim().split(/ +/)[0] ?? "";
}

Deno.test("withTag() gives each start its own tag, also in a new session and without an environment", () => {
  assert.ok(hasTags());
  const before = carried();
  const first = withTag((tag) => ({ tag, carried: carried("setsid env -i") }));
  const second = withTag((tag) => ({ tag, carried: carried() }));
  assert.equal(first.carried, first.tag);
  assert.equal(second.carried, second.tag);
  const all = new Set([before, first.tag, second.tag, carried()]);
  assert.equal(all.size, 4, "What the server starts itself carries no job's tag");
  for (const tag of [first.tag, second.tag]) assert.match(tag ?? "", /^[0-9]{19}$/);
});

Deno.test("withTag() takes the tag from this process, also when the start throws", () => {
  let tried: string | undefined;
  const start = () =>
    withTag((tag) => {
      tried = tag;
      throw new Error("no such program");
    });
  assert.throws(start, /no such program/);
  assert.notEqual(readHardLimit("realtime timeout", { pid: Deno.pid }), tried);
});

Deno.test("hasTags() is false with a real limit and without permission, and nested servers use different tags", () => {
  const tags = new URL("../../../worker/process/tags.ts", import.meta.url).href;
  const inner = (limit: string, ...permissions: string[]) => {
    const program =
      `data:application/typescript,import { withTag } from "${tags}"; withTag((tag) => console.log(tag));`;
    const { stdout } = new Deno.Command("sh", {
      args: ["-c", `${limit} exec "$@"`, "sh", Deno.execPath(), "run", "-q", ...permissions, program],
    }).outputSync();
    return new TextDecoder().decode(stdout).trim();
  };
  const outer = withTag((tag) => ({ tag, inner: inner("", "-A") }));
  assert.match(outer.inner, /^[0-9]{19}$/);
  assert.ok(BigInt(outer.inner) < BigInt(outer.tag ?? 0));
  assert.equal(inner("prlimit --rttime=200000 --pid $$;", "-A"), "undefined");
  assert.equal(inner("", "--no-prompt"), "undefined");
});

Deno.test("membersOf() finds a process without a mark by its tag, and no process of another job", async () => {
  const start = () =>
    new Deno.Command("sleep", { args: ["1000"], clearEnv: true, detached: true, stdin: "null" }).spawn();
  const own = withTag((tag) => ({ tag, child: start() }));
  const others = [withTag(start), start()];
  try {
    const entries = await scanProcesses() ?? [];
    const job = { leader: 2 ** 22 + 1, startTime: readEntry(own.child.pid)?.startTime ?? 0, mark: "none" };
    assert.deepEqual(membersOf(entries, job), []);
    const found = membersOf(entries, { ...job, ...defined({ tag: own.tag }) });
    assert.deepEqual(found.map(({ pid }) => pid), [own.child.pid]);
  } finally {
    for (const child of [own.child, ...others]) child.kill("SIGKILL");
    await Promise.all([own.child, ...others].map(({ status }) => status));
  }
});
