/** The address that a server listens on: a new socket, or one that the service manager has passed. */
import { lookup } from "node:dns/promises";
import { inheritedAddress, NotListeningError } from "../rpc/compat/inherited_socket.ts";
import { type Address, formatAddress, parseAddress } from "../rpc/shared/address.ts";
import { DEFAULT_LISTEN } from "./defaults.ts";
import { StartError } from "./start_error.ts";

/** The address to listen on. Port 0 stands for a free port. */
export interface ListenTarget extends Address {
  /** A socket that listens on the address already. Absent: the server opens one. */
  readonly descriptor?: number;
}

/**
 * Returns the address to listen on. A socket of the service manager decides it. The flag must agree with it, because an
 * administrator who names an address wants no other one.
 *
 * @param flag the argument of `--listen`
 * @param descriptor the socket of the service manager
 * @throws {AddressError} when the flag is not an address
 * @throws {StartError} when the socket is not a listening TCP socket, or has another address than the flag
 */
export async function listenTarget(flag: string | undefined, descriptor: number | undefined): Promise<ListenTarget> {
  if (descriptor === undefined) return parseAddress(flag ?? DEFAULT_LISTEN);
  const address = addressOf(descriptor);
  const wanted = flag === undefined ? address : parseAddress(flag);
  const { address: ip } = await lookup(wanted.host).catch(() => ({ address: wanted.host }));
  if (ip !== address.host || (wanted.port !== address.port && wanted.port !== 0)) {
    throw new StartError(
      `Cannot listen on "${formatAddress(wanted)}": the service manager has passed a socket that listens on ` +
        `"${formatAddress(address)}"; leave --listen out, or change the address of the socket`,
      { code: "USAGE" },
    );
  }
  return { ...address, descriptor };
}

function addressOf(descriptor: number): Address {
  try {
    return inheritedAddress(descriptor);
  } catch (error) {
    if (!(error instanceof NotListeningError)) throw error;
    throw new StartError(
      `Cannot use the socket of the service manager: ${error.message}; ` +
        "pass a TCP socket that listens, such as with ListenStream= and Accept=no",
      { cause: error },
    );
  }
}
