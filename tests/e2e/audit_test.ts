/** The audit log of a server, and `teleportd audit verify`. */
import assert from "node:assert/strict";
import { user } from "../support/identity_certificates.ts";
import { startServer, teleportd } from "../support/programs.ts";
import { clientWith, makePlace } from "../support/server_place.ts";
import { deadline } from "../support/deadline.ts";

Deno.test("teleportd audit verify finds a changed, a missing and a moved entry", async () => {
  await using place = await makePlace();
  const { dir } = place;
  {
    await using server = await startServer({ dir, initCerts: false, jobHost: "none" });
    await using ann = clientWith(server, await user("ann", "operator"));
    for (let count = 0; count < 5; count++) await ann.calls.Register({ command: "true", args: [String(count)] });
  }
  const path = `${dir}/data/audit/audit-00000001.jsonl`;
  const good = await Deno.readTextFile(path);
  const verify = () => teleportd("audit", "verify", `${dir}/data/audit`);
  assert.equal((await verify()).code, 0);
  const lines = good.trim().split("\n");
  const at = lines.findIndex((line) => line.includes('"args":["1"]'));
  for (
    const [what, changed] of [
      ["changed", lines.with(at, lines[at]!.replace('"args":["1"]', '"args":["9"]'))],
      ["removed", lines.toSpliced(at, 1)],
      ["removed at the end", lines.slice(0, -1)],
      ["reordered", lines.with(at, lines[at + 1]!).with(at + 1, lines[at]!)],
    ] as const
  ) {
    assert.notDeepEqual(changed, lines);
    await Deno.writeTextFile(path, changed.map((line) => `${line}\n`).join(""));
    const { code, stdout } = await verify();
    assert.equal(code, 1, what);
    assert.match(stdout, /The audit log is NOT whole\n$/);
  }
  await Deno.writeTextFile(path, good);
  assert.equal((await verify()).code, 0);
  assert.equal((await teleportd("audit", "verify", `${dir}/nowhere`)).code, 1);
  assert.equal((await teleportd("audit", "verify")).code, 2);
});

Deno.test(
  "a record that makes room by size is whole after every kill of its server, and after lines are cut off",
  async () => {
    await using place = await makePlace();
    const { dir } = place;
    const ann = await user("ann", "operator");
    const options = ["--audit-file-bytes", "4KiB", "--audit-files", "3"];
    const verify = () => teleportd("audit", "verify", `${dir}/data/audit`);
    for (let life = 0; life < 3; life++) {
      await using server = await startServer({ dir, initCerts: false, jobHost: "none", args: options });
      await using client = clientWith(server, ann);
      const calls = Array.from(
        { length: 60 },
        (_, index) => index % 2 === 0 ? client.calls.List({}) : client.calls.Register({ command: "true" }),
      );
      await Promise.all(calls.slice(0, 40));
      // The entry is in the middle.
      server.process.kill("SIGKILL");
      await Promise.allSettled(calls);
      await deadline(server.process.status, "the end of the process");
      const { code, stdout } = await verify();
      // The next start removes an incomplete last line.
      if (code !== 0) assert.match(stdout, /^audit-\d+\.jsonl, line \d+: it has no end\n\d+ lines in/);
    }
    {
      await using server = await startServer({ dir, initCerts: false, jobHost: "none", args: options });
      await using client = clientWith(server, ann);
      await client.calls.List({});
      assert.equal(await server.stop(), 0);
    }
    const { code, stdout } = await verify();
    assert.equal(code, 0, stdout);
    assert.match(
      stdout,
      /^\d+ lines in 3 files, number (?!1 )\d+ to \d+, the last with SHA-256 [0-9a-f]{64}\nThe audit log is whole\n$/,
    );
    const names = [...Deno.readDirSync(`${dir}/data/audit`)].map(({ name }) => name).filter((name) =>
      /jsonl$/.test(name)
    );
    const path = `${dir}/data/audit/${names.sort().at(-1)}`;
    const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
    await Deno.writeTextFile(path, lines.slice(0, -1).map((line) => `${line}\n`).join(""));
    assert.equal((await verify()).code, 1);
    // A start does not hide it.
    {
      await using server = await startServer({ dir, initCerts: false, jobHost: "none", args: options });
      await server.says(
        /^warn The audit log is not whole: The audit log does not end with line \d+ of "audit\.head"/,
      );
    }
    const after = await verify();
    assert.equal(after.code, 1);
    assert.match(after.stdout, /: 1 lines before it are missing\n/);
  },
);
