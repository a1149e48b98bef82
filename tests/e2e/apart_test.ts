/** Jobs inherit nothing from the process that started the server: no descriptors, no ignored signals, no privileges. */
import assert from "node:assert/strict";
import type { JobRequest } from "../../proto/teleport/v1/job_worker.ts";
import { assertApart, MASK_PROBE, PROBE, starter } from "../support/inheritance_starter.ts";
import { IsolationProbe } from "../../worker/host/isolation_probe.ts";
import { startServer } from "../support/programs.ts";
import { clientOf, finalOf } from "../support/server_process.ts";

const isRoot = Deno.uid() === 0;

Deno.test("jobs inherit nothing from the process that started the server", async () => {
  const path = await Deno.makeTempFile({ prefix: "teleport-test-" });
  const canIsolate = await new IsolationProbe().check("PRIVATE").then(() => true, () => false);
  for (const light of [true, false]) {
    await using server = await startServer({ starter: await starter(path, { light }), args: ["--cgroup", "off"] });
    await using client = await clientOf(server);
    const user = isRoot ? { user: "nobody" } : {};
    const jobs: Record<string, Partial<JobRequest>> = {
      "directly": {},
      "through the launcher": { umask: 0o022 },
      ...(isRoot ? { "as another user": user } : {}),
      ...(canIsolate ? { "isolated": { isolation: "ISOLATION_STRICT", ...user } } : {}),
    };
    for (const [way, options] of Object.entries(jobs)) {
      let said = "";
      for (const [command, args] of [MASK_PROBE, ["sh", ["-c", PROBE]] as const]) {
        const { id } = await client.calls.Register({ command, args: [...args], ...options });
        const { state, error } = await finalOf(client.calls, id);
        assert.equal(state, "STATE_EXITED", `${way}: ${error}`);
        for await (const { data } of client.calls.GetOutput({ id })) said += new TextDecoder().decode(data);
      }
      assertApart(said, way, { nice: isRoot || light ? 0 : 5 });
    }
  }
  await Deno.remove(path);
});
