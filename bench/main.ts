/** `deno task bench`: measures every budget of the design, prints the results, and writes them to RESULTS.md. */
import { refuseOptions, taskOptions } from "../tests/support/task_options.ts";
import { measureCrowd } from "./crowd.ts";
import type { Finding } from "./finding.ts";
import { measureFlatOut } from "./flat_out.ts";
import { measureGoPeer } from "./go_peer.ts";
import { GROWTHS, measureGrowth } from "./growth/measure.ts";
import { measureIdle } from "./idle.ts";
import { endPrograms } from "./program.ts";
import { writeProfiles } from "./profile.ts";
import { circumstances, lines, markdown } from "./report.ts";
import { measureLauncher } from "./launcher.ts";
import { measureMemory } from "./memory.ts";
import { measureRunTrue } from "./run_true.ts";
import { measureAgainstSsh } from "./ssh/against_ssh.ts";
import { measureSlurm } from "./slurm/measure.ts";
import { makeStage, type Stage } from "./stage.ts";
import { measureStalled } from "./stalled.ts";
import { measureStarts } from "./starts.ts";
import { measureStreaming } from "./streaming.ts";
import bounds from "./bounds.md" with { type: "text" };

const HELP = `Usage: deno task bench [OPTIONS]

  --quick         about three minutes, with rough numbers and without slurm; writes a file only with --results
  --only NAME     one of the measurements below; repeatable
  --only growth   how time and memory grow with jobs, watchers, output and connections: 15 minutes, into bench/GROWTH.md
  --results FILE  the file for the results (default: bench/RESULTS.md after a full run)
  --profile       measure nothing, but write profiles of streaming and of \`run true\` to bench/profiles/
  --help          print this

Measurements:`;

const MEASUREMENTS: Record<string, (stage: Stage) => Promise<Finding[]>> = {
  streaming: measureStreaming,
  run: measureRunTrue,
  ssh_finished: (stage) => measureAgainstSsh(stage, "finished"),
  ssh_live: (stage) => measureAgainstSsh(stage, "live"),
  ssh_input: (stage) => measureAgainstSsh(stage, "input"),
  stalled: measureStalled,
  crowd: measureCrowd,
  starts: measureStarts,
  launcher: measureLauncher,
  idle: measureIdle,
  memory: measureMemory,
  flat_out: measureFlatOut,
  go_peer: measureGoPeer,
  slurm: measureSlurm,
};

/** The measurement that is made only when it is asked for. */
const GROWTH = "growth";

const here = (path: string) => new URL(path, import.meta.url).pathname;

async function main(args: readonly string[]): Promise<number> {
  const names = Object.keys(MEASUREMENTS);
  const known = [...names, GROWTH, ...Object.keys(GROWTHS)].join(", ");
  const help = `${HELP} ${known}`;
  const { values } = taskOptions(args, help, {
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true },
      results: { type: "string" },
      profile: { type: "boolean", default: false },
    },
  });
  const usual = names.filter((name) => !values.quick || name !== "slurm"); // It takes minutes, also in its quick form.
  const chosen = values.only?.flatMap((name) => name === GROWTH ? Object.keys(GROWTHS) : [name]) ?? usual;
  const growths = chosen.filter((name) => name in GROWTHS);
  const unknown = chosen.find((name) => !(name in GROWTHS) && !names.includes(name));
  if (unknown !== undefined) refuseOptions(`'--only' must be one of ${known}, got '${unknown}'`, help);
  if (growths.length > 0 && growths.length < chosen.length) {
    refuseOptions(`Unexpected '--only': '--only ${GROWTH}' measures nothing else`, help);
  }
  await using stage = await makeStage(values.quick);
  const code = await Promise.race([endedBySignal(), measure(stage, chosen, values)]);
  // After a signal it leaves no programs, and no gigabytes in the temporary directory.
  await endPrograms();
  return code;
}

interface Values {
  readonly quick: boolean;
  readonly only?: string[];
  readonly results?: string;
  readonly profile: boolean;
}

/** Measures what was chosen, and prints and writes the results. */
async function measure(stage: Stage, chosen: readonly string[], values: Values): Promise<number> {
  const growths = chosen.filter((name) => name in GROWTHS);
  if (growths.length > 0) {
    const tables = await measureGrowth(stage, growths, console.log);
    const file = values.results ?? (values.quick || !values.only?.includes(GROWTH) ? undefined : here("GROWTH.md"));
    if (file !== undefined) await Deno.writeTextFile(file, tables);
    return 0;
  }
  if (values.profile) {
    for (const path of await writeProfiles(stage, here("profiles"))) console.log(path);
    return 0;
  }
  const findings: Finding[] = [];
  for (const name of chosen) {
    const start = performance.now();
    const found = await MEASUREMENTS[name]!(stage);
    for (const finding of found) console.log(lines(finding).join("\n"));
    console.log(`      ${name} took ${((performance.now() - start) / 1_000).toFixed(0)} s\n`);
    findings.push(...found);
  }
  const about = await circumstances(values.quick);
  for (const line of about) console.log(line);
  // A part of the measurements, or rough numbers, must not replace the results of a full run.
  const file = values.results ?? (values.quick || values.only ? undefined : here("RESULTS.md"));
  if (file !== undefined) await Deno.writeTextFile(file, markdown(findings, about, bounds));
  return 0;
}

/** Resolves with the exit code once a signal asks the benchmark to end. */
function endedBySignal(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  Deno.addSignalListener("SIGINT", () => resolve(130));
  Deno.addSignalListener("SIGTERM", () => resolve(143));
  return promise;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
