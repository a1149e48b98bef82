/** Socket addresses in the form of the kernel: sockaddr_in and sockaddr_in6. */
import { constants } from "node:os";
import { AF_INET, AF_INET6, cString, type SocketLibrary, SystemCallError } from "./socket_calls.ts";

/** The address of a peer, or of a socket that listens. */
export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

/** The size of a sockaddr_in6, the larger of the two. */
export const SOCKADDR_BYTES = 28;

/**
 * Returns an address as the kernel takes it.
 *
 * @param address an IP address, with a zone where it is link-local, and a port
 * @throws {SystemCallError} with code EADDRNOTAVAIL when the host is not an IP address
 */
export function encodeAddress({ symbols }: SocketLibrary, { host, port }: SocketAddress): Uint8Array<ArrayBuffer> {
  const isV6 = host.includes(":");
  const address = new Uint8Array(isV6 ? SOCKADDR_BYTES : 16);
  const view = new DataView(address.buffer);
  view.setUint16(0, isV6 ? AF_INET6 : AF_INET, true);
  view.setUint16(2, port);
  const [ip = "", zone] = host.split("%");
  const parsed = new Uint8Array(16);
  if (symbols.inet_pton(isV6 ? AF_INET6 : AF_INET, cString(ip), parsed) !== 1) {
    throw new SystemCallError("inet_pton", constants.errno.EADDRNOTAVAIL);
  }
  address.set(isV6 ? parsed : parsed.subarray(0, 4), isV6 ? 8 : 4);
  if (isV6 && zone !== undefined) {
    view.setUint32(24, symbols.if_nametoindex(cString(zone)) || Number(zone) || 0, true);
  }
  return address;
}

/** Returns the address family of an address in the form of the kernel. */
export function familyOf(address: Uint8Array<ArrayBuffer>): number {
  return new DataView(address.buffer).getUint16(0, true);
}

/** Reads an address that the kernel wrote. */
export function decodeAddress(bytes: Uint8Array<ArrayBuffer>): SocketAddress {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const port = view.getUint16(2);
  if (view.getUint16(0, true) === AF_INET) return { host: bytes.subarray(4, 8).join("."), port };
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(8 + index * 2).toString(16));
  return { host: v6Text(groups), port };
}

/** Returns the text of an IPv6 address. Source: RFC 5952. */
function v6Text(groups: readonly string[]): string {
  const text = groups.join(":");
  if (text.startsWith("0:0:0:0:0:ffff:")) {
    const [high = 0, low = 0] = groups.slice(6).map((group) => parseInt(group, 16));
    return `::ffff:${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  }
  const [longest] = [...text.matchAll(/(?<![^:])0(?::0)+(?![^:])/g)].map(([run]) => run)
    .sort((a, b) => b.length - a.length);
  return longest === undefined ? text : text.replace(new RegExp(`(^|:)${longest}(:|$)`), "::");
}
