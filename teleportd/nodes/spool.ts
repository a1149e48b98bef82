/** The directory of a node host, with the output that its gateway does not have yet. */
import { join } from "node:path";
import { errorMessage } from "../../base/error_message.ts";
import { isMarkGone, processMark } from "../../job_host.ts";
import { StartError } from "../start_error.ts";
import { type NodeConfig, reportPath } from "./node_config.ts";

/** The file with the name of the host process. A process that is killed before it is written has not dialed. */
const RUN = "run";
/** The file of a process that a gateway has accepted. Without it, the process has begun nothing. */
const ACCEPTED = "accepted";
/** The file that names the shell which starts the processes of this directory. */
const BATCH = "batch";

/** The directory of a host. */
export interface Spool {
  readonly directory: string;
  /** The random name of the host process. */
  readonly run: string;
  /** True when an earlier process may have begun the job. */
  readonly recovers: boolean;
}

/**
 * Makes the directory, or finds the one of an earlier process.
 *
 * @param batch the process of the shell that starts the host
 * @param recovers true when an earlier process of this shell has been killed
 * @throws {StartError} when it cannot be made
 */
export async function openSpool(
  { spool, id }: Pick<NodeConfig, "spool" | "id">,
  batch: number,
  recovers: boolean,
): Promise<Spool> {
  // An engine may run a job twice, also on one machine.
  const directory = join(spool, `teleport-${id}-${batch}`);
  if (recovers) {
    const run = await Deno.readTextFile(join(directory, RUN)).catch(() => undefined);
    const wasAccepted = await Deno.stat(join(directory, ACCEPTED)).then(() => true, () => false);
    if (run !== undefined && wasAccepted) return { directory, run, recovers };
    await Deno.remove(directory, { recursive: true }).catch(() => {}); // It is not there.
    // A gateway that has accepted the earlier process without its knowledge accepts only its name.
    if (run !== undefined) return await makeSpool(directory, batch, run);
  }
  return await makeSpool(directory, batch, crypto.getRandomValues(new Uint8Array(16)).toHex());
}

async function makeSpool(directory: string, batch: number, run: string): Promise<Spool> {
  await Deno.mkdir(directory, { mode: 0o700 }).catch((cause) => {
    const hint = "choose a directory of all nodes with --node-spool";
    throw new StartError(`Cannot make "${directory}" for the output: ${errorMessage(cause)}: ${hint}`, { cause });
  });
  await Deno.writeTextFile(join(directory, BATCH), processMark(batch), { mode: 0o600, createNew: true });
  await Deno.writeTextFile(join(directory, RUN), run, { mode: 0o600, createNew: true });
  return { directory, run, recovers: false };
}

/** Notes that a gateway has accepted the host process. */
export function noteAccepted({ directory }: Spool): void {
  Deno.writeTextFileSync(join(directory, ACCEPTED), "");
}

/**
 * Removes directories of hosts that were killed together with their shell, which leaves nobody to do it. Never rejects: it
 * is only disk space.
 */
export async function removeAbandoned(spool: string): Promise<void> {
  try {
    for await (const { name, isDirectory } of Deno.readDir(spool)) {
      const id = /^teleport-([0-9a-f]{32})-\d+$/.exec(name)?.[1];
      if (isDirectory && id !== undefined) await removeIfAbandoned(join(spool, name), reportPath({ spool, id }));
    }
  } catch {
    // The directory cannot be read.
  }
}

async function removeIfAbandoned(directory: string, report: string): Promise<void> {
  try {
    // Everybody can make directories in /tmp.
    if ((await Deno.lstat(directory)).uid !== Deno.uid()) return;
    if (!isMarkGone(await Deno.readTextFile(join(directory, BATCH)))) return;
    await Deno.remove(directory, { recursive: true });
    const { isFile, size, uid } = await Deno.lstat(report);
    if (isFile && size === 0 && uid === Deno.uid()) await Deno.remove(report);
  } catch {
    // Another host removes it too, or it is not known to whom it belongs.
  }
}
