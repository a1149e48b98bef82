/** Why a server cannot be reached, told from what grpc-js says of it. */
import { type Address, formatAddress } from "./address.ts";

export function explainUnavailable(details: string, address: Address): string {
  return details + formatAddress(address);
}
