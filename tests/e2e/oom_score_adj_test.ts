/** `--oom-score-adj`: an option of the table of job options, from the command line to the process and back. */
import assert from "node:assert/strict";
import { optionsError } from "../../base/job_options/check.ts";
import type { ServerProcess } from "../../base/job_options/descriptor.ts";
import { optionsRefusal } from "../../base/job_options/refusal.ts";
import { FIELD_KINDS } from "../../service/policy/fields.ts";
import { startServer, teleport, teleportOk } from "../support/programs.ts";

const CAP_SYS_RESOURCE = 1n << 24n;
const SHOW = ["--", "cat", "/proc/self/oom_score_adj"];

/** Whether this process may lower the adjustment below its own, as the server under test may. */
function mayLower(): boolean {
  const [, hex = "0"] = /^CapEff:\s*([0-9a-f]+)$/m.exec(Deno.readTextFileSync("/proc/self/status")) ?? [];
  return (BigInt(`0x${hex}`) & CAP_SYS_RESOURCE) !== 0n;
}

Deno.test("--oom-score-adj sets the adjustment of the job, and status shows it", async () => {
  await using server = await startServer();
  assert.equal(await teleportOk(server, "run", "--oom-score-adj", "500", ...SHOW), "500");
  const [json = ""] = (await teleportOk(server, "list", "--output", "json")).split("\n");
  const { id, oom_score_adj } = JSON.parse(json);
  assert.equal(oom_score_adj, 500);
  assert.match(await teleportOk(server, "status", id), /^OOM score adj: +500$/m);
});

Deno.test("--oom-score-adj applies before the job changes its user or is isolated", async () => {
  await using server = await startServer();
  const user = Deno.uid() === 0 ? ["--user", "nobody"] : [];
  assert.equal(await teleportOk(server, "run", "--oom-score-adj", "1000", ...user, ...SHOW), "1000");
  const { code, stdout, stderr } = await teleport(
    server,
    "run",
    "--oom-score-adj",
    "7",
    "--isolate",
    "strict",
    ...user,
    ...SHOW,
  );
  // A host that cannot isolate refuses the job.
  if (code === 0) assert.equal(stdout, "7\n");
  else assert.match(stderr, /Cannot isolate/);
});

Deno.test("a job without --oom-score-adj has no adjustment, and its status no line for it", async () => {
  await using server = await startServer();
  assert.equal(await teleportOk(server, "run", ...SHOW), "0");
  const [json = ""] = (await teleportOk(server, "list", "--output", "json")).split("\n");
  const job = JSON.parse(json);
  assert.ok(!("oom_score_adj" in job));
  assert.doesNotMatch(await teleportOk(server, "status", job.id), /OOM/);
});

Deno.test("--oom-score-adj below the server's own needs CAP_SYS_RESOURCE, and is refused without", async () => {
  await using server = await startServer();
  const { code, stdout, stderr } = await teleport(server, "run", "--oom-score-adj", "-500", ...SHOW);
  if (mayLower()) assert.deepEqual([code, stdout], [0, "-500\n"]);
  else {
    assert.equal(code, 1);
    assert.match(stderr, /Cannot lower the OOM score adjustment to -500 here: .*CAP_SYS_RESOURCE/);
  }
});

Deno.test("--oom-score-adj takes integers from -1000 to 1000", async () => {
  await using server = await startServer();
  for (const text of ["1001", "-1001", "0.5", "x"]) {
    const { code, stderr } = await teleport(server, "run", `--oom-score-adj=${text}`, "true");
    assert.equal(code, 2);
    assert.match(stderr, /for --oom-score-adj: give an integer from -1000 to 1000/);
  }
});

Deno.test("optionsRefusal() refuses an adjustment below the server's own without CAP_SYS_RESOURCE", () => {
  const server = (capabilities: bigint): ServerProcess => ({ uid: 0, capabilities, oomScoreAdj: 200 });
  const refusal = (oomScoreAdj: number, capabilities: bigint) =>
    optionsRefusal({ oomScoreAdj }, () => server(capabilities));
  assert.equal(
    refusal(199, 0n),
    "Cannot lower the OOM score adjustment to 199 here: the server's own is 200 and it lacks CAP_SYS_RESOURCE",
  );
  assert.equal(refusal(200, 0n), undefined);
  assert.equal(refusal(-1000, CAP_SYS_RESOURCE), undefined);
  assert.match(optionsError({ oomScoreAdj: 1_001 }) ?? "", /must be an integer from -1000 to 1000, got 1001$/);
});

Deno.test("a rule of the policy must name oom_score_adj, because it can protect a job at the cost of others", () => {
  assert.equal(FIELD_KINDS.oom_score_adj, "privileged if present");
});
