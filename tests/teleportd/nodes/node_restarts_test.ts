/** Tests of how often the script of a node host starts it, with another program in the place of the host. */
import assert from "node:assert/strict";
import { nodeScript } from "../../../teleportd/nodes/node_config.ts";
import { deadline, eventually } from "../../support/deadline.ts";
import { type TempDir, tempDir } from "../../support/temp_dir.ts";

const CONFIG = { id: "0".repeat(32), addresses: ["a:1"], ca: "x", certificate: "y", key: "z" };

/**
 * Starts the script.
 *
 * @param host the shell script of the host, which gets the number of its start as `$start`
 */
async function start({ path }: TempDir, host: string): Promise<Deno.ChildProcess> {
  const begin = `#!/bin/sh\necho "$4" >>${path}/starts\nstart=$(wc -l <${path}/starts)\n`;
  await Deno.writeTextFile(`${path}/host`, begin + host, { mode: 0o755 });
  await Deno.writeTextFile(`${path}/script`, nodeScript([`${path}/host`], { ...CONFIG, spool: path }, path), {
    mode: 0o755,
  });
  return new Deno.Command(`${path}/script`, { stdin: "null", stdout: "null", stderr: "null" }).spawn();
}

const startsIn = ({ path }: TempDir) => Deno.readTextFileSync(`${path}/starts`).split("\n").slice(0, -1);
const codeOf = async ({ status }: Deno.ChildProcess) => (await deadline(status, "the end of the script")).code;

Deno.test("nodeScript() starts a host that is killed again, to recover, as often as it is killed", async () => {
  await using dir = await tempDir();
  const script = await start(dir, `[ "$start" -gt 2 ] || kill -KILL $$; exit 4\n`);
  assert.equal(await codeOf(script), 4);
  assert.deepEqual(startsIn(dir), ["", "--recover", "--recover"]);
});

Deno.test("nodeScript() gives up a host that is always killed", async () => {
  await using dir = await tempDir();
  assert.equal(await codeOf(await start(dir, `kill -KILL $$\n`)), 137);
  assert.equal(startsIn(dir).length, 5);
});

Deno.test("nodeScript() passes SIGTERM to the host, and exits with its code", async () => {
  await using dir = await tempDir();
  const script = await start(dir, `trap 'exit 5' TERM\n: >${dir.path}/ready\nwhile :; do sleep 0.05; done\n`);
  await eventually(() => Deno.stat(`${dir.path}/ready`).then(() => true, () => false), "the host");
  script.kill("SIGTERM");
  assert.equal(await codeOf(script), 5);
  assert.deepEqual(startsIn(dir), [""]);
});

Deno.test("nodeScript() does not start a host again that SIGTERM ends before it has a handler", async () => {
  await using dir = await tempDir();
  const script = await start(dir, `: >${dir.path}/ready\nexec sleep 600\n`);
  await eventually(() => Deno.stat(`${dir.path}/ready`).then(() => true, () => false), "the host");
  script.kill("SIGTERM");
  assert.equal(await codeOf(script), 143);
  assert.deepEqual(startsIn(dir), [""]);
});
