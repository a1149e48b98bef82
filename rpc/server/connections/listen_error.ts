/** Why an address cannot be listened on, as a sentence for a person. */
import { type Address, AddressError, formatAddress } from "../../shared/address.ts";

const REASONS: Readonly<Record<string, readonly [AddressError["code"], string]>> = {
  EADDRINUSE: ["IN_USE", "another program listens there: give another port, or 0 for any"],
  EADDRNOTAVAIL: ["NOT_LOCAL", "this machine has no such address: give one of its own"],
  ENOTFOUND: ["NOT_FOUND", "no address has this name: give an IP address"],
  EAI_AGAIN: ["NOT_FOUND", "no address has this name: give an IP address"],
  EACCES: ["NOT_ALLOWED", "not allowed: give a port from 1024 up"],
  EPERM: ["NOT_ALLOWED", "not allowed: give a port from 1024 up"],
};

/** Makes an error of the system one of ours. */
export function listenError(error: unknown, address: Address): AddressError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const [kind, why] = REASONS[code] ?? ["UNUSABLE", "see the cause"];
  return new AddressError(kind, `Cannot listen on "${formatAddress(address)}": ${why}`, { cause: error });
}
