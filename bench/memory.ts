/** The memory of a server and its job host: without jobs, and with many that are quiet. */
import { sleep } from "../base/backoff.ts";
import type { Finding } from "./finding.ts";
import { memoryOf } from "./process_facts.ts";
import { connectTo, type JobHost, type Stage, startGated, startTeleportd, type Teleportd } from "./stage.ts";
import { mb } from "./statistics.ts";

const IDLE = { what: "at rest after the start: memory of server and job host together", budget: "at most 115 MB" };
const AFTER = { what: "at rest after a job: memory of server and job host together", budget: "at most 115 MB" };
const RUNNING = { what: "a quiet running job: growth of the memory of server and job host", budget: "" };

/** The most memory at rest, in bytes. */
const MAX_RESIDENT = 115e6;

/** The time from the last activity until both processes have collected their garbage, in milliseconds. */
const REST_MS = 13_000;

/** The memory of all processes of a server, in bytes. */
interface Together {
  /** The pages in use. A page of a file counts once, although both processes have it. */
  readonly resident: number;
  readonly rss: readonly number[];
  readonly pss: number;
}

async function together(teleportd: Teleportd): Promise<Together> {
  const all = (await teleportd.pids()).map(memoryOf);
  const sum = (values: readonly number[]) => values.reduce((one, other) => one + other, 0);
  // Both processes map the same files: the runtime, its libraries, and no others of a size.
  const files = Math.max(...all.map(({ file }) => file));
  return {
    resident: sum(all.map(({ rss, file }) => rss - file)) + files,
    rss: all.map(({ rss }) => rss),
    pss: sum(all.map(({ pss }) => pss)),
  };
}

function words({ resident, rss, pss }: Together): string {
  const parts = rss.map((bytes) => mb(bytes).toFixed(0)).join(" + ");
  return `${mb(resident).toFixed(0)} MB (RSS ${parts}, PSS ${mb(pss).toFixed(0)})`;
}

/** Measures the memory after a start, after a first job, and with many jobs. */
async function measureHost(stage: Stage, jobHost: JobHost, count: number) {
  await using teleportd = await startTeleportd(stage, { jobHost });
  await using client = connectTo(stage, teleportd);
  await sleep(REST_MS);
  const idle = await together(teleportd);
  const first = await startGated(stage, client, "read word <&3");
  first.gate.close();
  for await (const _ of client.calls.StatusStream({ id: first.id }));
  await sleep(REST_MS);
  const after = await together(teleportd);
  const jobs = [];
  while (jobs.length < count) jobs.push(await startGated(stage, client, "read word <&3"));
  await sleep(stage.quick ? 1_200 : REST_MS);
  const running = await together(teleportd);
  for (const { gate } of jobs) gate.close();
  for (const { id } of jobs) for await (const _ of client.calls.StatusStream({ id }));
  return { idle, after, running };
}

/** Measures the default, and a server that runs the jobs itself. */
export async function measureMemory(stage: Stage): Promise<Finding[]> {
  const count = stage.quick ? 30 : 300;
  const [own, none] = await Promise.all([measureHost(stage, "separate", count), measureHost(stage, "none", count)]);
  const growthKb = ({ after, running }: typeof own) => ((running.resident - after.resident) / count / 1e3).toFixed(0);
  const atRest = (finding: typeof IDLE, which: "idle" | "after") => ({
    ...finding,
    measured: `${mb(own[which].resident).toFixed(0)} MB`,
    met: own[which].resident <= MAX_RESIDENT,
    notes: [
      `a page of a file that both have counts once: ${words(own[which])}; with \`--job-host none\`: ${
        words(none[which])
      }`,
    ],
  });
  return [
    atRest(IDLE, "idle"),
    atRest(AFTER, "after"),
    {
      ...RUNNING,
      measured: `${growthKb(own)} KB`,
      notes: [
        `with ${count} jobs ${words(own.running)}`,
        `with \`--job-host none\` ${growthKb(none)} KB, with ${count} jobs ${words(none.running)}`,
      ],
    },
  ];
}
