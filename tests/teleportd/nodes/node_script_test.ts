/** Runs the script of a node host with other programs in place of the host and of scontrol(1). */
import assert from "node:assert/strict";
import { readReport } from "../../../teleportd/nodes/read_report.ts";
import { nodeScript, reportPath } from "../../../teleportd/nodes/node_config.ts";
import { deadline } from "../../support/deadline.ts";
import { tempDir } from "../../support/temp_dir.ts";

// Random, because one test has its file in /tmp.
const ID = crypto.getRandomValues(new Uint8Array(16)).toHex();

/** Runs the script, whose host is a shell script. */
async function run(dir: string, host: string, spool = dir) {
  const config = { id: ID, addresses: ["a:1"], ca: "x", certificate: "y", key: "z", spool };
  const path = `${dir}/slurm_script`;
  await Deno.writeTextFile(path, nodeScript(["/bin/sh", `${dir}/host`], config, dir));
  await Deno.writeTextFile(`${dir}/host`, host);
  await Deno.writeTextFile(`${dir}/scontrol`, `#!/bin/sh\nprintf '%s\\n' "$@" >${dir}/said\n`, { mode: 0o755 });
  // The shell itself reports a host that was killed. Slurm drops that.
  const { code } = await new Deno.Command("/bin/sh", {
    args: [path],
    env: { PATH: `${dir}:/usr/bin:/bin`, SLURM_JOB_ID: "12" },
    clearEnv: true,
    stderr: "null",
  }).output();
  const said = await Deno.readTextFile(`${dir}/said`).catch(() => undefined);
  return { code, said, report: await readReport(reportPath(config)) };
}

Deno.test("the script keeps the end of the standard error of a host that fails, and gives it to Slurm", async () => {
  await using dir = await tempDir();
  const { code, said, report } = await run(dir.path, `seq 1 2000 >&2; printf 'a | b\\tc\\n' >&2; exit 3`);
  assert.equal(code, 3);
  assert.ok(report.length <= 4_096 && report.length > 4_000, `${report.length}`);
  assert.match(report, /\n1999\n2000\na \| b\tc\n$/);
  const [verb, job, comment = ""] = said?.split("\n") ?? [];
  assert.deepEqual([verb, job], ["update", "JobId=12"]);
  assert.match(comment, /^Comment=\/.*\.err: .*1999 2000 a +b c ?$/);
  // Slurm refuses a comment of more than 1,024 bytes.
  assert.ok(comment.length > 900 && comment.length <= "Comment=".length + 1_024, `${comment.length}`);
  const { mode } = await Deno.stat(`${dir.path}/teleport-${ID}.err`);
  assert.equal((mode ?? 0) & 0o777, 0o600);
});

Deno.test("the script leaves nothing of a host that ends in order", async () => {
  await using dir = await tempDir();
  const { code, said } = await run(dir.path, "echo warning >&2");
  assert.deepEqual([code, said], [0, undefined]);
  await assert.rejects(Deno.stat(`${dir.path}/teleport-${ID}.err`), Deno.errors.NotFound);
});

Deno.test("the script starts the host once more after it was killed, with the same file", async () => {
  await using dir = await tempDir();
  const { code, report } = await run(dir.path, `echo "$3" "$4" >&2; test -z "$4" || exit 5; kill -9 $$`);
  assert.equal(code, 5);
  assert.match(report, /^.*slurm_script\s+.*slurm_script --recover\n$/);
});

Deno.test("the script follows no link that another user has made, and works without its directory", async () => {
  await using dir = await tempDir();
  await Deno.symlink(`${dir.path}/target`, `${dir.path}/teleport-${ID}.err`);
  assert.equal((await run(dir.path, "echo text >&2; exit 1")).report, "");
  await assert.rejects(Deno.stat(`${dir.path}/target`), Deno.errors.NotFound);
  await Deno.remove(`/tmp/teleport-${ID}.err`);
  const { code, said } = await run(dir.path, "echo text >&2; exit 1", `${dir.path}/missing`);
  assert.equal(code, 1);
  assert.match(said ?? "", /Comment=\/tmp\/\S+: text ?$/m);
  await Deno.remove(`/tmp/teleport-${ID}.err`);
});

Deno.test("the script does not write into a pipe that another user has made", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/teleport-${ID}.err`;
  await new Deno.Command("mkfifo", { args: [path] }).output();
  const { code, said } = await deadline(run(dir.path, "echo text >&2; exit 1"), "the end of the script", 10_000);
  assert.equal(code, 1);
  assert.match(said ?? "", /Comment=\/tmp\/\S+: text ?$/m);
  assert.equal((await Deno.stat(path)).isFifo, true);
  await Deno.remove(`/tmp/teleport-${ID}.err`);
});
