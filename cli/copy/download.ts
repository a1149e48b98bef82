/** Copies from the server: a job sends, and a program on this machine unpacks. */
import { createHash } from "node:crypto";
import type { Context } from "../context.ts";
import type { Progress } from "../print/progress.ts";
import { isSent } from "./changed_files.ts";
import { CopyJob, type CopyJobOptions, failureOf } from "./copy_job.ts";
import { LocalReceiver } from "./local_receiver.ts";
import { HeaderParser, nameOf, sendArgs } from "./scripts.ts";

/** The result of a copy. */
export interface Copied {
  /** The path of the copy. */
  readonly path: string;
  /** The bytes of the archive. */
  readonly bytes: number;
  /** The digest of the archive, in hexadecimal, which sender and receiver have in common. */
  readonly sha256: string;
}

/**
 * Copies a file or directory of the server to this machine.
 *
 * @param source the path on the server
 * @param destination the path here
 * @throws {Error} when anything fails. Then nothing appears under the final name
 */
export async function download(
  context: Context,
  source: string,
  destination: string,
  options: CopyJobOptions & { readonly progress: Progress },
): Promise<Copied> {
  const { progress, signal } = options;
  const parser = new HeaderParser();
  const hash = createHash("sha256");
  let bytes = 0;
  let receiver: LocalReceiver | undefined;
  await using job = await CopyJob.register(context, options, sendArgs(source));
  try {
    const status = await job.run(async (data) => {
      let archive = data;
      if (receiver === undefined) {
        const parsed = parser.take(data);
        if (parsed === undefined) return;
        progress.total = parsed.header.bytes;
        const { kind } = parsed.header;
        receiver = new LocalReceiver(context.io, { kind, destination, name: nameOf(source), idleMinutes: 0 });
        archive = parsed.rest;
      }
      hash.update(archive);
      bytes += archive.length;
      await receiver.write(archive);
      await progress.add(archive.length);
    }, signal);
    const failure = failureOf(status, job.problems);
    if (failure !== undefined && !(status.state === "STATE_EXITED" && isSent(status.exit_code, job.problems))) {
      throw new Error(`Cannot copy ":${source}": ${failure}`);
    }
    for (const line of job.problems.lines) await context.print.note(line);
    if (receiver === undefined) throw new Error(`Cannot copy ":${source}": nothing came`);
    const sha256 = hash.digest("hex");
    const path = await receiver.finish(sha256);
    for (const line of receiver.problems.lines) await context.print.note(line);
    return { path, bytes, sha256 };
  } finally {
    await receiver?.cancel();
  }
}
