/** Explains why the server cannot listen on an address. */
import { errorCode } from "../../../base/error_code.ts";
import { type Address, AddressError, formatAddress } from "../../shared/address.ts";

const REASONS: Readonly<Record<string, readonly [AddressError["code"], string]>> = {
  EADDRINUSE: ["IN_USE", "another program listens there: give another port, or 0 for any"],
  EADDRNOTAVAIL: ["NOT_LOCAL", "this machine does not have the address: give an address of this machine"],
  ENOTFOUND: ["NOT_FOUND", "no address has this name: give an IP address"],
  EAI_AGAIN: ["NOT_FOUND", "no address has this name: give an IP address"],
  EACCES: ["NOT_ALLOWED", "not allowed: give a port from 1024 up"],
  EPERM: ["NOT_ALLOWED", "not allowed: give a port from 1024 up"],
};

/** Returns an AddressError for an error of the system. */
export function listenError(error: unknown, address: Address): AddressError {
  const [code, why] = REASONS[errorCode(error) ?? ""] ?? ["UNUSABLE", "see the cause"];
  return new AddressError(code, `Cannot listen on "${formatAddress(address)}": ${why}`, { cause: error });
}
