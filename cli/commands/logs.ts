/** `teleport logs`: prints the output of one job as it is, or of several jobs line by line. */
import type { Command } from "commander";
import { UsageError } from "../../units/usage_error.ts";
import type { JobOutput } from "../../proto/teleport/v1/job_worker.ts";
import { defined } from "../../base/defined.ts";
import type { Declare } from "../command.ts";
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { followOutput } from "../follow/follow_output.ts";
import { listJobs } from "../follow/list_jobs.ts";
import { followMatching, ManyOutputs } from "../follow/many_outputs.ts";
import { Outages } from "../follow/outage.ts";
import { resolveJob, resolveJobs, retried } from "../follow/resolve.ts";
import { addJobFilterOptions, type FilterFlags, filterOf, isFiltering } from "../options/filter_options.ts";
import { addLogsOptions, type LogsFlags, type LogsOptions, logsOptions } from "../options/logs_options.ts";
import { createOffsetPrefix } from "../print/offset_prefix.ts";
import { printOutput } from "../print/print_output.ts";
import { unseenEnd } from "../print/status_text.ts";
import { createTimestampPrefix } from "../print/timestamps.ts";

const NOTES = `
The output of one job is printed as it is, each stream to its own descriptor. Of several jobs, whole lines are printed,
each after the name of its job or the beginning of its id. A line above 64 KiB is printed in parts.

Without an id, the jobs that match the filters are printed. With --follow, jobs that start later are too, until you
end this command.

--grep takes the syntax of RE2, and selects lines of the output that the other options select. Only the first
64 KiB of a line are compared; with a pattern of many parts fewer, and at least 2 KiB.`;

type Flags = LogsFlags & Pick<FilterFlags, "state" | "owner" | "label" | "command">;

export const declare: Declare = (command, runner) => {
  addJobFilterOptions(addLogsOptions(command))
    .addHelpText("after", NOTES)
    .action(async (ids: string[], flags: Flags, self: Command) => {
      const options = logsOptions(flags);
      const { state, owner, label, command } = flags;
      const filters = {
        ...(state && { state }),
        ...(owner && { owner }),
        ...(label && { label }),
        ...(command && { command }),
      };
      const hasFilters = isFiltering(filters);
      const [id, ...others] = ids;
      if (hasFilters && id !== undefined) throw new UsageError("IDs and filters exclude each other: give one of them");
      if (!hasFilters && id === undefined) throw new UsageError("Give the IDs of jobs, or a filter such as --label");
      if (options.selection.cursor !== undefined && (hasFilters || others.length > 0)) {
        throw new UsageError("--cursor is a place in the output of one job: give one ID");
      }
      await runner.call(self, (context) => {
        if (id === undefined) return logsMatching(context, filters, options);
        return others.length === 0 ? logs(context, id, options) : logsOfMany(context, ids, options);
      });
    });
};

/**
 * Prints the output so far or, with `follow`, the output to the job's end.
 *
 * @returns 0, however the job ended. `wait` returns its exit code
 */
async function logs({ calls, io, print }: Context, text: string, options: LogsOptions): Promise<number> {
  const { follow, retryForMs } = options;
  const outages = follow ? new Outages(print, retryForMs) : undefined;
  const id = await resolveJob(outages === undefined ? calls : retried(calls, outages), text);
  const change = transformOf(options, { oneScreen: io.stdout.isTerminal() && io.stderr.isTerminal() });
  const { status } = await followOutput(
    calls,
    {
      request: { id, ...requestOf(options) },
      ...defined({ outages }),
    },
    async (output) => {
      if (print.isJson) return await printOutput(print, output);
      if (options.timestamps && output.clock_went_back) {
        await print.note("The server's clock was set back here: earlier lines have later times");
      }
      await printOutput(print, change(output));
    },
  );
  const sentence = follow ? unseenEnd(status) : undefined;
  if (sentence !== undefined) await print.note(`Job "${id}" is ${sentence}`);
  return EXIT_CODE.OK;
}

/** Prints the output of several jobs. A job that does not exist fails the command before anything is printed. */
async function logsOfMany({ calls, print }: Context, texts: readonly string[], options: LogsOptions): Promise<number> {
  const outages = new Outages(print, options.retryForMs);
  const outputs = manyOutputs({ calls, print }, options, outages);
  const ids = await resolveJobs(calls, texts);
  const jobs = await Promise.all(ids.map((id) => calls.Status({ id }, { deadlineMs: CALL_DEADLINE_MS })));
  outputs.align(jobs);
  for (const job of jobs) await outputs.add(job);
  return await outputs.end();
}

/** Prints the output of the jobs that match. With `follow`, it does not end by itself. */
async function logsMatching({ calls, print }: Context, filters: FilterFlags, options: LogsOptions): Promise<number> {
  const outages = new Outages(print, options.retryForMs);
  const outputs = manyOutputs({ calls, print }, options, outages);
  if (options.follow) return await followMatching(calls, filterOf(filters), outputs, outages);
  for await (const jobs of listJobs(calls, { ...filterOf(filters), oldest_first: true })) {
    outputs.align(jobs);
    for (const job of jobs) if (job.state !== "STATE_INITIAL") await outputs.add(job);
  }
  return await outputs.end();
}

function manyOutputs({ calls, print }: Pick<Context, "calls" | "print">, options: LogsOptions, outages: Outages) {
  const transform = () => transformOf(options, { oneScreen: false });
  return new ManyOutputs(calls, { print, request: requestOf(options), outages, transform });
}

function requestOf({ follow, selection, timestamps }: LogsOptions) {
  return { follow, ...selection, ...(timestamps ? { exact_pieces: true } : {}) };
}

/** Makes the function that adds positions and times before the lines of one job. */
function transformOf(
  { offsets, timestamps }: LogsOptions,
  oneScreen: { readonly oneScreen: boolean },
): (output: JobOutput) => JobOutput {
  const addOffsets = offsets ? createOffsetPrefix() : undefined;
  const addTimes = timestamps ? createTimestampPrefix(oneScreen) : undefined;
  return (output) => {
    const positioned = addOffsets?.(output) ?? output;
    return addTimes?.(positioned) ?? positioned;
  };
}
