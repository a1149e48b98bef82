/** Finds the listening socket that a service manager has passed to this process. Source: sd_listen_fds(3). */
import { StartError } from "../start_error.ts";

/** The variables of the protocol. */
export const ACTIVATION_VARIABLES = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] as const;

/** The first passed descriptor: SD_LISTEN_FDS_START. */
const FIRST_DESCRIPTOR = 3;

/**
 * Returns the descriptor of the passed socket. Undefined when none was passed to this process.
 *
 * @param env the variables of this process
 * @throws {StartError} when the number of sockets is not an integer, or more than one
 */
export function inheritedSocket(
  env: { readonly [name in typeof ACTIVATION_VARIABLES[number]]?: string | undefined },
  pid: number = Deno.pid,
): number | undefined {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = env;
  // The variables may be those of a parent, whose sockets this process does not have.
  if (LISTEN_FDS === undefined || LISTEN_PID !== String(pid)) return undefined;
  if (!/^\d{1,9}$/.test(LISTEN_FDS)) {
    throw new StartError(`Cannot use the sockets of the service manager: LISTEN_FDS is "${LISTEN_FDS}", not a number`);
  }
  const count = Number(LISTEN_FDS);
  if (count === 0) return undefined;
  if (count === 1) return FIRST_DESCRIPTOR;
  const names = LISTEN_FDNAMES === undefined ? "" : ` (${LISTEN_FDNAMES.split(":").join(", ")})`;
  throw new StartError(
    `Cannot use the sockets of the service manager: it has passed ${count}${names}, and teleportd uses one; ` +
      "leave one ListenStream= in the socket unit",
  );
}
