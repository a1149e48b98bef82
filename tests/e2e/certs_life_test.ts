/** The certificate tool after the first day: list, show, renew and revoke. */
import assert from "node:assert/strict";
import { snapshot } from "../support/certs.ts";
import { certs } from "../support/programs.ts";
import { tempDir } from "../support/temp_dir.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Runs the tool, which must fail, and gives its error text. */
async function refused(code: number, ...args: string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-prompt", "-P=certs", "certs.ts", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  });
  const ended = await command.output();
  const stderr = new TextDecoder().decode(ended.stderr);
  assert.deepEqual([ended.code, ended.stdout.length], [code, 0], stderr);
  return stderr;
}

Deno.test("certs list, show, renew and revoke print one JSON object on each line", async () => {
  await using dir = await tempDir();
  const tool = async (...args: string[]) => {
    const lines = (await certs(...args, "--dir", dir.path, "--output", "json")).trim().split("\n");
    return lines.map((line) => JSON.parse(line));
  };
  assert.deepEqual((await tool("init")).map(({ name, usage }) => [name, usage]), [
    ["ca", "authority"],
    ["server", "server"],
    ["admin", "client"],
  ]);
  const [ann] = await tool("client", "ann", "--role", "operator", "--algorithm", "ed25519", "--days", "7");
  assert.deepEqual([ann.name, ann.roles, ann.key], ["ann", ["operator"], `${dir.path}/ann.key`]);
  const [shown] = await tool("show", "ann");
  assert.deepEqual(
    [shown.key_algorithm, shown.common_names, shown.standing, shown.has_key],
    ["Ed25519", ["ann"], "valid", true],
  );
  assert.equal(shown.warning, undefined, "a third of its life is left for a warning");
  const [renewed] = await tool("renew", "ann");
  assert.deepEqual(renewed.roles, ["operator"]);
  const [after] = await tool("show", "ann");
  assert.notEqual(after.serial, shown.serial);
  const [revoked] = await tool("revoke", "ann");
  const { issuer, ...rest } = revoked;
  assert.match(issuer, /^CN=teleport CA [0-9a-f]{8}$/);
  assert.deepEqual(rest, { serial: after.serial, already: false, count: 1, path: `${dir.path}/ca.crl` });
  const [before] = await tool("revoke", "--serial", shown.serial);
  assert.equal(before.count, 2);
  const standings = Object.fromEntries((await tool("list")).map(({ name, standing }) => [name, standing]));
  assert.deepEqual(standings, { ca: "valid", admin: "valid", ann: "revoked", server: "valid" });
});

Deno.test("certs reports in one sentence what it cannot do, and changes nothing", async () => {
  await using dir = await tempDir();
  await certs("init", "--dir", dir.path);
  const before = await snapshot(dir.path);
  const at = ["--dir", dir.path];
  const sentences: [string[], number, RegExp][] = [
    [["revoke", ...at], 1, /Cannot revoke: give a NAME, --serial or --cert/],
    [["revoke", "admin", "--serial", "0A", ...at], 1, /exclude each other/],
    [["revoke", "nobody", ...at], 1, /nobody\.crt": it does not exist/],
    [["renew", "nobody", ...at], 1, /nobody\.crt": it does not exist/],
    [["renew", "admin", "--finish", ...at], 1, /Unexpected --finish/],
    [["renew", "admin", "--days", "0", ...at], 1, /'--days' must .*, got 0/],
    [["client", "eva", "--role", "viewer", "--csr", `${dir.path}/nowhere`, ...at], 1, /nowhere": it does not exist/],
    [
      ["client", "eva", "--role", "viewer", "--csr", `${dir.path}/ca.crt`, ...at],
      1,
      /its PEM label is "CERTIFICATE"/,
    ],
    [["client", "eva", "--role", "viewer", "--algorithm", "dsa", ...at], 1, /'--algorithm' must be .*, got "dsa"/],
    [["list", "--output", "xml", ...at], 1, /'--output' must be .*, got "xml"/],
    [["list", "--dir", `${dir.path}/nowhere`], 1, /ca\.crt": it does not exist/],
    [["show", ...at], 2, /missing required argument/],
    [["renew", ...at], 2, /missing required argument/],
  ];
  for (const [args, code, sentence] of sentences) assert.match(await refused(code, ...args), sentence);
  assert.deepEqual(await snapshot(dir.path), before);
});
