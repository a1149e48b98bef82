/** Chooses how many connections the server accepts. It keeps descriptors for jobs and for its own files. */
import { defined } from "../base/defined.ts";
import {
  type ConnectionLimits,
  connectionLimits,
  type ConnectionOptions,
  MIN_CONNECTIONS,
} from "../rpc/server/connections/connection_limits.ts";
import type { Flags } from "./flags.ts";
import { StartError } from "./start_error.ts";

/** The descriptors of the server itself: database, audit log, log, policy and certificates. An idle server has 32. */
const OWN_DESCRIPTORS = 64;

/** The descriptors that no flag can take from jobs. A job has up to four: two outputs, an input and its log. */
const MIN_JOB_DESCRIPTORS = 64;

/**
 * The default maximum of connections. One connection can carry a thousand watchers, so few servers need more. The half that
 * users may have takes 60 kB each.
 */
const DEFAULT_MAX_CONNECTIONS = 3_000;

/** The chosen limits. */
export interface ChosenConnections {
  readonly options: ConnectionOptions;
  /** The limits that follow from the options. */
  readonly limits: ConnectionLimits;
  /** A message for the log. Present when the limit on open files decides the number of connections. */
  readonly text?: string;
}

/**
 * Chooses the limits of connections. Without a flag, jobs get half of the descriptors that the server does not need.
 *
 * @param maxDescriptors the number of descriptors that the process may have; Infinity for no limit
 * @throws {StartError} when a flag asks for more than the descriptors allow
 */
export function chooseConnections(flags: Flags, maxDescriptors: number): ChosenConnections {
  const spare = maxDescriptors - OWN_DESCRIPTORS;
  const most = Math.max(MIN_CONNECTIONS, spare - MIN_JOB_DESCRIPTORS);
  if (flags.maxConnections !== undefined && (flags.maxConnections < MIN_CONNECTIONS || flags.maxConnections > most)) {
    const range = most === Infinity ? `of at least ${MIN_CONNECTIONS}` : `from ${MIN_CONNECTIONS} to ${most}`;
    throw new StartError(
      `'--max-connections' must be an integer ${range}, got ${flags.maxConnections}: this process may open ` +
        `${maxDescriptors} files (ulimit -n), and jobs and the server need some of them`,
    );
  }
  const byDescriptors = Math.max(MIN_CONNECTIONS, Math.floor(spare / 2));
  const maxConnections = flags.maxConnections ?? Math.min(DEFAULT_MAX_CONNECTIONS, byDescriptors);
  const { maxHandshakes, maxConnectionsPerUser, maxConnectionsPerAddress } = flags;
  const options = {
    maxConnections,
    ...defined({ maxHandshakes, maxConnectionsPerUser, maxConnectionsPerAddress }),
  };
  const limits = connectionLimits(options);
  if (flags.maxConnections !== undefined || byDescriptors >= DEFAULT_MAX_CONNECTIONS) return { options, limits };
  const text = `The server accepts at most ${maxConnections} connections, because this process may open ` +
    `${maxDescriptors} files (ulimit -n)`;
  return { options, limits, text };
}

/** Returns the number of descriptors that this process may have. Deno has raised the soft limit to the hard one. */
export async function maxDescriptors(): Promise<number> {
  // proc_pid_limits(5)
  const limits = await Deno.readTextFile("/proc/self/limits");
  const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
  return soft === undefined || soft === "unlimited" ? Infinity : Number(soft);
}
