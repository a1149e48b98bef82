/** Reads and checks everything that a server needs before it opens its data directory. */
import { defined } from "../base/defined.ts";
import type { Logger } from "../base/logger.ts";
import { defaultCertificateDirectory } from "../trust/default_directory.ts";
import { chooseConnections, type ChosenConnections, maxDescriptors } from "./connection_options.ts";
import { checkReadable, dataDirectory } from "./data_directory.ts";
import { checkDataDirectory } from "./file_trust.ts";
import type { Flags } from "./flags.ts";
import type { FileLimits } from "./limits_file.ts";
import { checkJobDirectory } from "./job_directory.ts";
import { type ListenTarget, listenTarget } from "./listen_target.ts";
import { readReloadableConfig, type ReloadableConfig } from "./reloadable_config.ts";
import { uidOf } from "./other_user.ts";
import { RevocationMemory } from "./revocation_memory.ts";
import type { ServerEnvironment } from "./server_environment.ts";
import { StartError } from "./start_error.ts";
import { readLimits } from "./supervisor_options.ts";

/** The configuration of a server at its start. */
export interface StartConfig {
  readonly listen: ListenTarget;
  /** The certificate directory. */
  readonly certs: string;
  /** The data directory. It may not exist yet. */
  readonly directory: string;
  /** The user of the job host, when it is another one. */
  readonly hostUid?: number;
  readonly memory: RevocationMemory;
  readonly reloadable: ReloadableConfig;
  readonly limits: FileLimits;
  readonly connections: ChosenConnections;
}

/**
 * Reads the configuration. Makes missing certificates if a flag says so, and changes nothing else.
 *
 * @throws {Error} an error that `startErrorOf` recognizes, when something is missing or cannot be used
 */
export async function readStartConfig(
  flags: Flags,
  { env, inheritedSocket }: Pick<ServerEnvironment, "env" | "inheritedSocket">,
  log: Logger,
): Promise<StartConfig> {
  const certs = flags.certs || defaultCertificateDirectory((name) => env[name]);
  if (certs === undefined) {
    throw new StartError("Cannot find the certificate directory: use --certs, or set TELEPORT_CERTS or HOME");
  }
  const listen = await listenTarget(flags.listen, inheritedSocket);
  await checkJobDirectory(flags.jobDir);
  if (flags.initCerts) await makeMissingCertificates(certs, log);
  const directory = dataDirectory(flags.data, env);
  const hostUid = flags.hostUser === undefined ? undefined : uidOf(flags.hostUser, "--host-user");
  await checkDataDirectory(directory, hostUid);
  await checkReadable(directory);
  const memory = await RevocationMemory.open(`${directory}/revoked.json`);
  return {
    listen,
    certs,
    directory,
    ...defined({ hostUid }),
    memory,
    reloadable: await readReloadableConfig(certs, flags.policy, memory, log),
    limits: await readLimits(flags.limits),
    connections: chooseConnections(flags, await maxDescriptors()),
  };
}

async function makeMissingCertificates(dir: string, log: Logger): Promise<void> {
  // Loaded on demand: making certificates needs far more code than using them.
  const { ensureServing } = await import("../certs/serving.ts");
  for (const { certificatePath, notAfter } of await ensureServing({ dir })) {
    const day = notAfter.toISOString().slice(0, 10);
    log.info(`Made "${certificatePath}", valid until ${day}`, { path: certificatePath, not_after: day });
  }
}
