/** `teleport top`: a live table of jobs with what they use and the last line of their output. */
import type { Command } from "commander";
import { UsageError } from "../../units/usage_error.ts";
import type { Declare } from "../command.ts";
import type { Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { listJobs } from "../follow/list_jobs.ts";
import { interruptOnSignals } from "../forward_signals.ts";
import { addFilterOptions, type FilterFlags, filterOf } from "../options/filter_options.ts";
import { RUNNING_STATES } from "../options/job_selection.ts";
import { addRetryOption, type RetryFlags } from "../options/retry_option.ts";
import { statusJson } from "../print/message_json.ts";
import { JobSamples, SORT_KEYS, type SortKey } from "../top/job_samples.ts";
import { showLive } from "../top/live_view.ts";
import { sampleJobs } from "../top/sampling.ts";
import { topTable } from "../top/top_screen.ts";

const NOTES = `
Keys: q quits, s sorts by the next key, j and k or the arrows scroll. The processor use is in percent of one core.
When the output is not a terminal, it prints one table and ends.`;

interface TopFlags extends FilterFlags, RetryFlags {
  readonly sort?: SortKey;
  readonly all?: true;
}

export const declare: Declare = (command, runner) => {
  addRetryOption(addFilterOptions(command))
    .option("--sort <KEY>", "sort by cpu (default), memory, age, name or state", parseSort)
    .option("-a, --all", "every job, also one that has ended or was never started")
    .addHelpText("after", NOTES)
    .action(async (flags: TopFlags, self: Command) => {
      await runner.call(self, (context) => top(context, flags));
    });
};

function parseSort(text: string): SortKey {
  const key = SORT_KEYS.find((key) => key === text);
  if (key !== undefined) return key;
  throw new UsageError(`Unknown key "${text}" for --sort: give ${SORT_KEYS.map((key) => `"${key}"`).join(" or ")}`);
}

async function top(context: Context, flags: TopFlags): Promise<number> {
  const { io, print } = context;
  const states = flags.state ?? (flags.all ? [] : RUNNING_STATES);
  const request = { ...filterOf(flags), states: [...states] };
  const samples = new JobSamples(states);
  const sort = flags.sort ?? "cpu";
  const isLive = io.stdout.isTerminal() && io.terminal.kind !== "dumb" && !print.isJson;
  if (!isLive) return await printOnce(context, request, samples, sort);
  using interruption = interruptOnSignals(io);
  const signal = interruption.interrupted;
  await showLive(context, request, samples, { sort, signal, retryForMs: flags.retryFor });
  return EXIT_CODE.OK;
}

/** Prints one table. The processor use is the average since the start of each job. */
async function printOnce(
  { calls, io, print }: Context,
  request: ReturnType<typeof filterOf>,
  samples: JobSamples,
  sort: SortKey,
): Promise<number> {
  for await (const page of listJobs(calls, request)) for (const job of page) samples.update(job);
  await sampleJobs(calls, samples, samples.sorted("age"), () => io.nowMs());
  const jobs = samples.sorted(sort);
  if (!print.isJson) await print.line(topTable(print, jobs, print.columns).join("\n"));
  else for (const { status } of jobs) await print.jsonLine(statusJson(status));
  return EXIT_CODE.OK;
}
