/** `deno task torture:damage [COUNT [SEED]]`: damages files at random with a new seed, and stops at the first wrong answer. */
import { damageFiles, makeFiles } from "./damaged_files.ts";
import { damageJobs, makeJobs } from "./damaged_jobs.ts";
import { newSeed, Random } from "../support/random.ts";
import { refuseOptions, taskOptions } from "../support/task_options.ts";

const HELP = `Usage: deno task torture:damage [COUNT [SEED]]

Damages files at random, COUNT times (default: 2000), and stops at the first wrong answer.`;

const USUAL = 2_000;

/** The share of damages to files other than jobs is 1 in this number. Those files are small. */
const FILES_SHARE = 0.25;

const { positionals } = taskOptions(Deno.args, HELP, { options: {}, allowPositionals: true });
const wrong = positionals.find((text) => !/^\d+$/.test(text)) ?? positionals[2];
if (wrong !== undefined) refuseOptions(`The arguments must be a count and a seed, got '${wrong}'`, HELP);
const [amount = USUAL, seed = newSeed()] = positionals.map(Number);
console.log(`seed ${seed}`);
const random = new Random(seed);
await using jobs = await makeJobs();
await using files = await makeFiles();
for (let count = 0; count < amount; count++) {
  const one = random.below(2 ** 32);
  if (random.chance(FILES_SHARE)) await damageFiles(files, one);
  else await damageJobs(jobs, one);
}
console.log(`${amount} damages: no wrong answer, no unnamed error`);
