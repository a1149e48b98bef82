/** Addresses of sockets as the kernel has them: sockaddr_in and sockaddr_in6. */

/** Where a connection comes from, or where a socket listens. */
export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

// Of Linux, as in <sys/socket.h>.
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCKADDR_BYTES = 28;

/** Reads an address that the kernel wrote. */
export function decodeAddress(bytes: Uint8Array<ArrayBuffer>): SocketAddress {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const port = view.getUint16(2);
  if (view.getUint16(0, true) === AF_INET) return { host: bytes.subarray(4, 8).join("."), port };
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(8 + index * 2).toString(16));
  return { host: v6Text(groups), port };
}

/** The text of an IPv6 address as RFC 5952 wants it. */
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
