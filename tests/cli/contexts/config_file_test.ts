/** The file of contexts: what it refuses, and how it is replaced. */
import assert from "node:assert/strict";
import { changeConfigFile, readConfigFile } from "../../../cli/contexts/config_file.ts";
import { selectContext } from "../../../cli/contexts/select_context.ts";
import { SettingsError } from "../../../cli/contexts/settings_error.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** Each line: what is wrong, the text of the file, and what the error says. */
const damaged: [string, string, RegExp][] = [
  [
    "one name for two contexts",
    '[contexts.a]\naddress = "h:1"\n[contexts.a]\naddress = "i:1"\n',
    /line 3, column 2: trying to redefine an already defined table or value: keep one of the two$/,
  ],
  ["an open quote", 'current = "a\n', /line 1, column \d+: /],
  ["an unknown field", "colour = 1\n", /unknown field "colour": give "current", "contexts"$/],
  [
    "an unknown field of a context",
    '[contexts.a]\nkey = "x"\n',
    /at "contexts.a": unknown field "key": give "address"/,
  ],
  ["a name with a slash", '[contexts."../a"]\naddress = "h:1"\n', /at "contexts.\.\.\/a": the name is not valid/],
  ["a number for the address", "[contexts.a]\naddress = 1\n", /at "contexts.a.address": give a string in quotes$/],
  ["a date for a context", "[contexts]\na = 2026-01-01\n", /at "contexts.a": give a table$/],
  ["an empty directory", '[contexts.a]\ncerts = ""\n', /at "contexts.a.certs": give the path of a directory$/],
  ["1 MiB and a byte", "#".repeat(1024 * 1024 + 1), /it has 1048577 bytes, and at most 1048576 are allowed$/],
];

for (const [what, text, sentence] of damaged) {
  Deno.test(`readConfigFile() refuses ${what}`, async () => {
    await using temporary = await tempDir();
    await Deno.writeTextFile(`${temporary.path}/config.toml`, text, { mode: 0o600 });
    await assert.rejects(readConfigFile(temporary.path), (error) => {
      assert.ok(error instanceof SettingsError);
      assert.match(error.message, sentence);
      assert.ok(error.message.includes(`${temporary.path}/config.toml`), error.message);
      return true;
    });
  });
}

Deno.test("readConfigFile() refuses a file that other users can change", async () => {
  await using temporary = await tempDir();
  const path = `${temporary.path}/config.toml`;
  await Deno.writeTextFile(path, "");
  await Deno.chmod(path, 0o666);
  await assert.rejects(readConfigFile(temporary.path), /every user can change it \(mode 0666\); run chmod go-w/);
});

Deno.test("changeConfigFile() keeps all changes of writers at one time, in a file for this user only", async () => {
  await using temporary = await tempDir();
  const dir = `${temporary.path}/new/teleport`;
  const names = Array.from({ length: 20 }, (_, at) => `c${at}`);
  await Promise.all(names.map((name) =>
    changeConfigFile(dir, async ({ contexts }) => {
      await Promise.resolve();
      return { current: "c1", contexts: new Map([...contexts, [name, { address: `${name}:1` }]]) };
    })
  ));
  const { current, contexts } = await readConfigFile(dir);
  assert.equal(current, "c1");
  assert.deepEqual([...contexts.keys()].sort(), [...names].sort());
  assert.equal((await Deno.stat(`${dir}/config.toml`)).mode! & 0o777, 0o600);
  assert.equal((await Deno.stat(dir)).mode! & 0o777, 0o700);
  assert.deepEqual((await Array.fromAsync(Deno.readDir(dir))).map(({ name }) => name), ["config.toml"]);
});

Deno.test("selectContext() takes the flag before the variable, and both before the file", async () => {
  await using temporary = await tempDir();
  const env = { XDG_CONFIG_HOME: temporary.path };
  assert.equal(await selectContext(undefined, env), undefined);
  const contexts = new Map(["a", "b", "c"].map((name) => [name, { address: `${name}:1`, certs: "here" }]));
  await changeConfigFile(`${temporary.path}/teleport`, () => ({ current: "c", contexts }));
  const chosen = async (flag?: string, variable?: string) => {
    const context = await selectContext(flag, { ...env, TELEPORT_CONTEXT: variable });
    return [context?.name, context?.source];
  };
  assert.deepEqual(await chosen("a", "b"), ["a", "--context"]);
  assert.deepEqual(await chosen(undefined, "b"), ["b", "TELEPORT_CONTEXT"]);
  assert.deepEqual(await chosen(undefined, ""), ["c", "config.toml"]);
  assert.equal((await selectContext("a", env))?.certsDir, `${temporary.path}/teleport/here`);
  await assert.rejects(chosen("d"), /^SettingsError: Unknown context "d" from --context: give one of "a", "b", "c"$/);
});
