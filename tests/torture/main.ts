/** `deno task torture`: tries to break a server with random inputs of every kind and new seeds, and prints the result. */
import { newSeed, Random } from "../support/random.ts";
import { refuseOptions, taskOptions } from "../support/task_options.ts";
import { messages } from "./messages.ts";
import { rawFrames } from "./raw_frames.ts";
import { slowReaders } from "./slow_readers.ts";
import { complaints, makeStage, type Outcome } from "./stage.ts";
import type { Torture } from "./torture.ts";

/** All tortures. */
export const TORTURES: readonly Torture[] = [rawFrames, messages, slowReaders];

const LOG_LINES = 50;

/** The number of inputs after which V8's heap keeps its size. */
const WARM_UP = 2_000;

const HELP = `Usage: deno task torture [OPTIONS]

  --only NAME     one of the tortures below; repeatable
  --seed NUMBER   the seed, to repeat a run (default: a new one, which is printed)
  --amount COUNT  the number of inputs, such as connections
  --short         the short form that the tests run
  --log           also print the end of the server's log
  --help          print this

Tortures:
${TORTURES.map(({ name, about }) => `  ${name}: ${about}`).join("\n")}`;

/** Gives the result of a torture on one line. */
function line({ name }: Torture, seed: number, outcome: Outcome): string {
  const [before, most, after] = outcome.memoryMiB.map((value) => value.toFixed());
  const { p99Ms, controlP99Ms, maxMs } = outcome.status;
  return [
    `${name} (seed ${seed}): ${outcome.done} in ${outcome.seconds.toFixed()} s`,
    `Status p99 ${p99Ms.toFixed()} ms (${controlP99Ms.toFixed()} without load), at most ${maxMs.toFixed()} ms`,
    `memory ${before} MiB before, ${most} at most, ${after} after`,
    `descriptors ${outcome.descriptors.join(" before, ")} after`,
    `load ${Deno.loadavg()[0]?.toFixed(1)}`,
  ].join("; ");
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = taskOptions(args, HELP, {
    options: {
      only: { type: "string", multiple: true },
      seed: { type: "string" },
      amount: { type: "string" },
      log: { type: "boolean", default: false },
      short: { type: "boolean", default: false },
    },
  });
  const names = TORTURES.map(({ name }) => name);
  const unknown = values.only?.find((name) => !names.includes(name));
  if (unknown !== undefined) refuseOptions(`'--only' must be one of ${names.join(", ")}, got '${unknown}'`, HELP);
  for (const name of ["seed", "amount"] as const) {
    const value = values[name];
    if (value !== undefined && !/^\d+$/.test(value)) {
      refuseOptions(`'--${name}' must be a number, got '${value}'`, HELP);
    }
  }
  let failed = false;
  for (const torture of TORTURES.filter(({ name }) => values.only?.includes(name) ?? true)) {
    const seed = values.seed === undefined ? newSeed() : Number(values.seed);
    console.log(`${torture.name}: seed ${seed}`);
    await using stage = await makeStage();
    const dose = { seed, short: values.short, ...(values.amount && { amount: Number(values.amount) }) };
    // The warm-up: a server that has served no call yet uses less memory.
    await torture.run(stage, new Random(0), { ...dose, short: true, amount: values.short ? 100 : WARM_UP });
    const outcome = await stage.watch(() => torture.run(stage, new Random(seed), dose));
    console.log(line(torture, seed, outcome));
    const said = stage.server.log().split("\n").slice(-LOG_LINES).map((text) => `  log: ${text}`);
    if (values.log) console.log(said.join("\n"));
    // The memory of a server that has served few calls still grows with each.
    const found = complaints(outcome).filter((complaint) => !values.short || !complaint.startsWith("Memory"));
    for (const complaint of found) {
      console.log(`  FAILED: ${complaint}`);
      failed = true;
    }
  }
  return failed ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
