/** `teleport cp`: copies a file or a directory to the server or from it. */
import type { Command } from "commander";
import { UsageError } from "../../units/usage_error.ts";
import type { Declare } from "../command.ts";
import type { Context } from "../context.ts";
import { copyRequest } from "../copy/copy_job.ts";
import { download } from "../copy/download.ts";
import { upload } from "../copy/upload.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { Outages } from "../follow/outage.ts";
import { interruptOnSignals } from "../forward_signals.ts";
import { addPair } from "../options/job_options.ts";
import { addRetryOption, type RetryFlags } from "../options/retry_option.ts";
import { Progress } from "../print/progress.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";

const NOTES = `
A path of the server begins with a colon: teleport cp ./site :/srv/site, teleport cp :/var/log/app.log .
A relative one, such as :site, begins at the directory of jobs (default: /). Directories need no option.
If the destination is an existing directory, the copy gets its own name in it. The contents of a directory are copied
with a source such as dir/. and a directory that exists is merged with the copy.

Modes, times and symbolic links are kept; owners, set-user-id bits, devices, pipes and sockets are not. A symbolic link
is followed only where you name it. A file that exists is replaced, and a symbolic link in its place, never its target.

The copy runs as a job of your own with sh, tar and sha256sum, and the job is removed at the end. Its archive is part of the
server's disk use meanwhile. The files appear only when the SHA-256 of what arrived is that of what was sent.`;

interface CopyFlags extends RetryFlags {
  readonly user?: string;
  readonly group?: string;
  readonly label?: Record<string, string>;
  readonly quiet?: true;
}

export const declare: Declare = (command, runner) => {
  addRetryOption(
    command
      .option("-u, --user <USER>", "run the job as this user of the server's system, by name or number")
      .option("--group <GROUP>", "run the job as this group (default: the user's own)")
      .option(
        "-l, --label <KEY=VALUE>",
        "a label of the job; repeatable",
        (text: string, before?: Record<string, string>) =>
          addPair(text, before, { name: "--label", form: "KEY=VALUE" }),
      )
      .option("-q, --quiet", "print no progress"),
  )
    .addHelpText("after", NOTES)
    .action(async (from: string, to: string, flags: CopyFlags, self: Command) => {
      const paths = { from: pathOf(from, "SOURCE"), to: pathOf(to, "DESTINATION") };
      if (paths.from.isRemote === paths.to.isRemote) {
        throw new UsageError(
          paths.to.isRemote
            ? 'Both paths are on the server: use "teleport run cp"'
            : "Neither path is on the server: begin one of them with a colon, such as :/srv/app",
        );
      }
      await runner.call(self, (context) => copy(context, paths.from, paths.to, flags));
    });
};

interface CopyPath {
  readonly isRemote: boolean;
  readonly path: string;
}

function pathOf(text: string, what: string): CopyPath {
  const isRemote = text.startsWith(":");
  const path = isRemote ? text.slice(1) : text;
  if (path === "") throw new UsageError(`Empty ${what}: give a path, and :PATH for one on the server`);
  return { isRemote, path };
}

async function copy(context: Context, from: CopyPath, to: CopyPath, flags: CopyFlags): Promise<number> {
  const { io, print } = context;
  const outages = new Outages(print, flags.retryFor);
  using interruption = interruptOnSignals(io);
  const signal = interruption.interrupted;
  const progress = new Progress({
    print,
    nowMs: () => io.nowMs(),
    isShown: io.stderr.isTerminal() && !flags.quiet && !print.isJson,
    name: escapeTerminal(from.path),
  });
  const server = from.isRemote ? from.path : to.path;
  const options = { outages, signal, progress, job: copyRequest(from.isRemote ? "from" : "to", server, flags) };
  let isWhole = false;
  try {
    const copied = await (from.isRemote ? download : upload)(context, from.path, to.path, options);
    isWhole = true;
    if (print.isJson) await print.jsonLine({ path: copied.path, bytes: copied.bytes, sha256: copied.sha256 });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    await progress.end(isWhole);
  }
  return EXIT_CODE.OK;
}
