/** The latency of another client while a job writes as fast as it can, for each policy of an output limit. */
import type { RpcClient } from "../rpc/client/client.ts";
import type { Finding } from "./finding.ts";
import { connectTo, type Stage, startJob, startTeleportd } from "./stage.ts";
import { mb, median, quantile } from "./statistics.ts";

const POLICIES = ["KEEP_NEWEST", "BLOCK", "STOP"] as const;
const LIMIT_BYTES = 64_000_000;

/** The pause between two calls, as of a program that manages a job: it makes one call at a time, without haste. */
const PAUSE_MS = 10;

async function measurePolicy(stage: Stage, policy: typeof POLICIES[number]): Promise<Finding> {
  const ms = stage.quick ? 500 : 5_000;
  await using teleportd = await startTeleportd(stage);
  await using client = connectTo(stage, teleportd);
  await using other = connectTo(stage, teleportd);
  const { id } = await client.calls.Register({
    command: "yes",
    max_output_bytes: LIMIT_BYTES,
    output_policy: `OUTPUT_POLICY_${policy}`,
  });
  await other.calls.Status({ id });
  await startJob(client, id);
  const times = await callFor(other, id, ms);
  const status = await client.calls.Stop({ id, grace_ms: 1_000 });
  return {
    what: `\`yes\` flat out, limit policy ${policy}: another client's status call`,
    budget: "median under 50 ms",
    measured: `median ${median(times).toFixed(1)} ms`,
    met: median(times) < 50,
    notes: [
      `p99 ${quantile(times, 0.99).toFixed(1)} ms of ${times.length} calls in ${ms / 1_000} s; ` +
      `${mb(status.stdout_bytes).toFixed(0)} MB recorded, ${mb(status.dropped_bytes).toFixed(0)} MB dropped`,
    ],
  };
}

async function callFor({ calls }: RpcClient, id: string, ms: number): Promise<number[]> {
  const times: number[] = [];
  const until = performance.now() + ms;
  while (performance.now() < until) {
    const start = performance.now();
    await calls.Status({ id });
    times.push(performance.now() - start);
    await new Promise((wake) => setTimeout(wake, PAUSE_MS));
  }
  return times;
}

/** Measures each policy. */
export async function measureFlatOut(stage: Stage): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const policy of POLICIES) findings.push(await measurePolicy(stage, policy));
  return findings;
}
