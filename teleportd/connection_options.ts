/** How many connections the server takes: as many as its descriptors allow, with a reserve for jobs and its own files. */
import {
  type ConnectionLimits,
  connectionLimits,
  type ConnectionOptions,
  MIN_CONNECTIONS,
} from "../rpc/server/connections/connection_limits.ts";
import type { Flags } from "./flags.ts";
import { StartError } from "./start_error.ts";
import { defined } from "../base/defined.ts";

/** An idle server has 32 descriptors open. Store, audit record, log, policy and certificates find room in the others. */
const OWN_DESCRIPTORS = 64;

/** A job has up to four: two outputs, an input and its log. So 16 jobs can run whatever a flag says. */
const LEAST_FOR_JOBS = 64;

/** The half of them that users may have takes about 60 kB each. One connection carries a thousand watchers, so hardly a server needs more. */
const MOST_BY_DEFAULT = 3_000;

/** The limits, and a line for the log where the system is what limits. */
export interface ChosenConnections {
  readonly options: ConnectionOptions;
  /** What comes of the options. */
  readonly limits: ConnectionLimits;
  readonly line?: string;
}

/**
 * Chooses the limits of connections. Without a flag, jobs get half of the descriptors that the server itself does not
 * need.
 *
 * @param maxDescriptors How many descriptors the process may have; Infinity for no limit
 * @throws {StartError} When a flag asks for more than the descriptors allow
 */
export function chooseConnections(flags: Flags, maxDescriptors: number): ChosenConnections {
  const spare = maxDescriptors - OWN_DESCRIPTORS;
  const most = Math.max(MIN_CONNECTIONS, spare - LEAST_FOR_JOBS);
  if (flags.maxConnections !== undefined && (flags.maxConnections < MIN_CONNECTIONS || flags.maxConnections > most)) {
    const range = most === Infinity ? `of at least ${MIN_CONNECTIONS}` : `from ${MIN_CONNECTIONS} to ${most}`;
    throw new StartError(
      `'--max-connections' must be an integer ${range}, got ${flags.maxConnections}: this process may open ` +
        `${maxDescriptors} files (ulimit -n), and jobs and the server need some of them`,
    );
  }
  const byDescriptors = Math.max(MIN_CONNECTIONS, Math.floor(spare / 2));
  const maxConnections = flags.maxConnections ?? Math.min(MOST_BY_DEFAULT, byDescriptors);
  const { maxHandshakes, maxConnectionsPerUser, maxConnectionsPerAddress } = flags;
  const options = {
    maxConnections,
    ...defined({ maxHandshakes, maxConnectionsPerUser, maxConnectionsPerAddress }),
  };
  const limits = connectionLimits(options);
  if (flags.maxConnections !== undefined || byDescriptors >= MOST_BY_DEFAULT) return { options, limits };
  const line = `takes ${maxConnections} connections at most, because this process may open ${maxDescriptors} files ` +
    "(ulimit -n)";
  return { options, limits, line };
}

/** How many descriptors this process may have. Deno has raised the soft limit to the hard one at its start. */
export async function maxDescriptors(): Promise<number> {
  // proc_pid_limits(5)
  const limits = await Deno.readTextFile("/proc/self/limits");
  const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
  return soft === undefined || soft === "unlimited" ? Infinity : Number(soft);
}
