/** The audit record of the server as a process, and what "audit verify" finds in it. */
import assert from "node:assert/strict";
import { user } from "./identity_certificates.ts";
import { makePlace, startWatched, teleportd } from "./identity_process.ts";

const strict = { sanitizeOps: true, sanitizeResources: true } as const;

Deno.test("teleportd audit verify finds a changed, a removed and a reordered line", strict, async () => {
  await using place = await makePlace();
  const { dir } = place;
  {
    await using server = await startWatched(dir);
    await using ann = server.as(await user("ann", "operator"));
    for (let count = 0; count < 5; count++) await ann.calls.Register({ command: "true", args: [String(count)] });
  }
  const path = `${dir}/data/audit/audit-00000001.jsonl`;
  const good = await Deno.readTextFile(path);
  const verify = () => teleportd("audit", "verify", `${dir}/data/audit`);
  assert.equal((await verify()).code, 0);
  const lines = good.trim().split("\n");
  for (
    const [what, changed] of [
      ["changed", lines.with(2, lines[2]!.replace('"1"', '"9"'))],
      ["removed", lines.toSpliced(2, 1)],
      ["removed at the end", lines.slice(0, -1)],
      ["reordered", lines.with(2, lines[3]!).with(3, lines[2]!)],
    ] as const
  ) {
    assert.notDeepEqual(changed, lines);
    await Deno.writeTextFile(path, changed.map((line) => `${line}\n`).join(""));
    const { code, stdout } = await verify();
    assert.equal(code, 1, what);
    assert.match(stdout, /The record is NOT whole\n$/);
  }
  await Deno.writeTextFile(path, good);
  assert.equal((await verify()).code, 0);
  assert.equal((await teleportd("audit", "verify", `${dir}/nowhere`)).code, 1);
  assert.equal((await teleportd("audit", "verify")).code, 2);
});
