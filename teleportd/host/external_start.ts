/** Waits for a job host of a service manager. An older job host starts one on request. */
import { errorMessage } from "../../base/error_message.ts";
import type { Logger } from "../../base/logger.ts";
import type { HostLink } from "../../mod.ts";
import { findInstance, findInstances, type FoundInstance, hostsDirectory } from "./instance_directory.ts";
import { LaunchError } from "./launcher.ts";
import { shellWord } from "../../text/escape_terminal.ts";

/** A job host that runs, with a link to it. */
export type LinkedHost = readonly [FoundInstance, HostLink];

/** The host that is waited for. */
export interface ExternalStart {
  /** The absolute path of the data directory. */
  readonly data: string;
  readonly version: string;
  readonly log: Logger;
  /** The user of the host, when it is another one. */
  readonly hostUser?: string;
  /** How long to wait, in milliseconds. */
  readonly timeoutMs: number;
  /** Returns true for a host that lives and can run the jobs of the server. */
  readonly fits: (found: FoundInstance) => boolean;
  /** Connects to a host. Undefined: it has ended. */
  readonly connect: (found: FoundInstance) => Promise<HostLink | undefined>;
}

/**
 * Asks a host of another version to start one of this version, and waits for a host that fits.
 *
 * @param running the hosts that run, none of which fits
 * @throws {LaunchError} when none has started in time
 */
export async function untilStarted(running: readonly LinkedHost[], start: ExternalStart): Promise<HostLink> {
  const { data, version, log, timeoutMs } = start;
  await Deno.mkdir(hostsDirectory(data), { recursive: true, mode: 0o700 });
  // Watched before the first look, so that no host is missed.
  using changes = Deno.watchFs(hostsDirectory(data));
  const timer = setTimeout(() => changes.close(), timeoutMs);
  try {
    const predecessor = running.findLast(([{ info }]) => info?.stays);
    if (predecessor !== undefined) await askForSuccessor(predecessor, start);
    const found = await fitting(start);
    if (found !== undefined) return found;
    log.info("Waiting for a job host: a service manager must start it");
    for await (const { paths } of changes) {
      const started = paths.some((path) => path.endsWith("/info.json")) ? await fitting(start) : undefined;
      if (started !== undefined) return started;
    }
  } finally {
    clearTimeout(timer);
  }
  throw new LaunchError(
    `none of version ${version} has started within ${timeoutMs / 1_000} s; ${startAdvice(data, start.hostUser)}`,
    { forUsers: "none runs, and the operator of the server must start one" },
  );
}

/** Returns what an administrator can do. The host refuses the directories of a server whose user it does not know. */
export function startAdvice(data: string, hostUser?: string, serverUid: number | null = Deno.uid()): string {
  const [as, option] = hostUser === undefined ? ["", ""] : [`as user ${hostUser} `, ` --server-user ${serverUid}`];
  return "start its service, such as with systemctl start teleportd-host, " +
    `or run ${as}teleportd host run --stay${option} --data ${shellWord(data)}`;
}

async function askForSuccessor([{ instance }, link]: LinkedHost, start: ExternalStart): Promise<void> {
  const { data, version, log, fits, connect } = start;
  log.info(`Asking the job host "${instance}" to start one of version ${version}`, { instance, version });
  try {
    const found = await findInstance(data, await link.succeed());
    if (fits(found) || found.info === undefined) return;
    log.warn(
      `It started version ${found.info.version}: install version ${version} where the job host is started`,
      { instance: found.instance },
    );
    const unfit = await connect(found);
    unfit?.retire(true);
    await unfit?.close();
  } catch (error) {
    log.warn(`It started none: ${errorMessage(error)}`, { instance });
  }
}

async function fitting({ data, fits, connect }: ExternalStart): Promise<HostLink | undefined> {
  for (const found of (await findInstances(data)).reverse()) {
    const link = fits(found) ? await connect(found).catch(() => undefined) : undefined;
    if (link !== undefined) return link;
  }
  return undefined;
}
