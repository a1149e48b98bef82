/** `teleport attach`: connects this terminal to a running job. */
import type { Command } from "commander";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { numberParser } from "../../units/number.ts";
import type { Declare } from "../command.ts";
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { EXIT_CODE, jobExitCode } from "../exit_code.ts";
import { Outages, retryUntilAnswered } from "../follow/outage.ts";
import { resolveJob, retried } from "../follow/resolve.ts";
import { addRetryOption, type RetryFlags } from "../options/retry_option.ts";
import { isFinal } from "../print/status_text.ts";
import { attachTo } from "../terminal/attach_to.ts";
import { addDetachKeysOption, type DetachKeysFlags, detachKeysOf } from "../terminal/detach_keys_option.ts";
import { DetachedError, detachedText } from "../terminal/detached.ts";
import { leavingText } from "../terminal/session.ts";

const NOTES = `
Shows the output from now on, and sends the standard input if the job has one: run it with -i or -it. A job on a
terminal draws its screen again. --tail shows recorded output first.

To leave the job running: Ctrl-P Ctrl-Q, or ~. after Enter (~~ sends one ~), or a signal to this command. Without a
terminal, Ctrl-C leaves too; it does not reach the job. The end of the standard input leaves the job's input open.

Any number of clients may attach. All see the output and one writes: the first. The others get a note, and may type
when it has left. The terminal has the size of the client that changed its size last.

Exit code: the job's own when it ended, as with "teleport run"; 0 after the keys above; 1 when it does not run.`;

interface AttachFlags extends RetryFlags, DetachKeysFlags {
  readonly stdin: boolean;
  readonly tail?: number;
}

const COUNT = { notation: "count", min: 0, max: 999_999_999_999_999, allowsLeadingZeros: true } as const;

export const declare: Declare = (command, runner) => {
  addRetryOption(addDetachKeysOption(command))
    .option("--no-stdin", "send nothing; only watch")
    .option(
      "-n, --tail <COUNT>",
      "first show the last lines of the output so far (default: 0)",
      numberParser("--tail", COUNT),
    )
    .addHelpText("after", NOTES)
    .action(async (id: string, flags: AttachFlags, self: Command) => {
      await runner.call(self, (context) => attach(context, id, flags));
    });
};

/** @returns the exit code of the job, or 0 when the user has left it */
async function attach(context: Context, text: string, flags: AttachFlags): Promise<number> {
  const { calls, io, print } = context;
  const outages = new Outages(print, flags.retryFor);
  const found = await resolveJob(retried(calls, outages), text);
  const status = await retryUntilAnswered(
    () => calls.Status({ id: found }, { deadlineMs: CALL_DEADLINE_MS }),
    outages,
    undefined,
    false,
  );
  const refusal = refusalText(status);
  if (refusal !== undefined) {
    await print.note(refusal);
    return EXIT_CODE.FAILED;
  }
  const { id } = status;
  const hasInput = flags.stdin && status.input && !status.input_closed;
  const detachKeys = io.terminal.isTerminal() ? detachKeysOf(flags) : undefined;
  await print.note(leavingText(id, { detachKeys, hasInput }));
  try {
    const options = { status, hasInput, detachKeys, tailLines: flags.tail, retryForMs: flags.retryFor };
    return jobExitCode(await attachTo(context, options));
  } catch (error) {
    if (error instanceof DetachedError) {
      await print.note(detachedText(id));
      return EXIT_CODE.OK;
    }
    await print.note(`Job "${id}" may still run: "teleport attach ${id}" comes back`);
    throw error;
  }
}

/** Returns why nobody can attach to a job, and what to do. */
function refusalText({ id, state }: JobStatus): string | undefined {
  if (isFinal(state)) return `Job "${id}" has ended: "teleport logs ${id}" prints its output`;
  if (state === "STATE_INITIAL") return `Job "${id}" was not started: "teleport start ${id}" starts it`;
  return undefined;
}
