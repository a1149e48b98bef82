/** A connection that breaks after the server has executed a call and before its answer: nothing is executed twice. */
import assert from "node:assert/strict";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { spawnTeleport, startServer } from "../support/programs.ts";
import { Proxy } from "./proxy.ts";
import { clientOf } from "../support/server_process.ts";

/** The jobs of the server, read over another connection. */
type Seen = (jobs: readonly JobStatus[]) => boolean;

/** The conditions on the jobs at which the connection breaks, each once. */
const REGISTERED: Seen = (jobs) => jobs.length > 0;
const STARTED: Seen = (jobs) => jobs.some(({ state }) => state !== "STATE_INITIAL");
const ENDED: Seen = (jobs) => jobs.some(({ state }) => state === "STATE_EXITED");

const CASES: readonly { readonly args: readonly string[]; readonly cuts: readonly Seen[]; readonly runs: number }[] = [
  { args: ["register"], cuts: [REGISTERED], runs: 0 },
  { args: ["run", "-d"], cuts: [REGISTERED, STARTED], runs: 1 },
  { args: ["run"], cuts: [REGISTERED, STARTED, ENDED], runs: 1 },
];

for (const { args, cuts, runs } of CASES) {
  Deno.test(`teleport ${args.join(" ")} makes one job, and runs it ${runs} times, when the connection breaks ${cuts.length} times`, async () => {
    await using server = await startServer();
    await using client = await clientOf(server);
    await using proxy = new Proxy(server.address);
    const ran = `${server.dir}/ran`;
    const left = [...cuts];
    proxy.isToCut = async () => {
      const { jobs } = await client.calls.List({});
      // The server has executed the call before it answers.
      if (left[0]?.(jobs) !== true) return false;
      left.shift();
      return true;
    };
    const script = `echo x >> ${ran}; echo out`;
    const { code, stdout, stderr } = await spawnTeleport(
      { address: proxy.address, dir: server.dir },
      ...args,
      "--",
      "sh",
      "-c",
      script,
    ).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    assert.equal(left.length, 0, "There were fewer cuts than meant");
    const { jobs } = await client.calls.List({});
    assert.equal(jobs.length, 1);
    const id = jobs[0]?.id ?? "";
    const isDetached = args.length === 2 || args[0] === "register";
    assert.equal(new TextDecoder().decode(stdout), isDetached ? `${id}\n` : "out\n");
    if (runs > 0) { for await (const _ of client.calls.StatusStream({ id })); }
    const text = await Deno.readTextFile(ran).catch(() => "");
    assert.equal(text, "x\n".repeat(runs));
  });
}
