/** Addresses in the form HOST:PORT. */
import { isIP } from "node:net";

/** An address to listen on, or to connect to. */
export interface Address {
  /** The host: an IP address without brackets, or a name. */
  readonly host: string;
  readonly port: number;
}

/** An address that cannot be parsed or used. */
export class AddressError extends Error {
  override readonly name = "AddressError";
  /** The fault: the text, a port in use, an address of another machine, an unknown name, a denied port, or another. */
  readonly code: "INVALID" | "IN_USE" | "NOT_LOCAL" | "NOT_FOUND" | "NOT_ALLOWED" | "UNUSABLE";

  constructor(code: AddressError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Parses an address: `127.0.0.1:50051`, `localhost:50051` or `[::1]:50051`.
 *
 * @throws {AddressError} with code INVALID when the text has another form
 */
export function parseAddress(text: string): Address {
  const [, bracketed, plain, digits] = /^(?:\[([^\[\]]+)\]|([^\[\]:]+)):(\d{1,5})$/.exec(text) ?? [];
  // A final dot marks a complete name. Resolvers here do not accept it, and TLS names do not have it.
  const host = bracketed ?? plain?.replace(/\.$/, "");
  const port = Number(digits);
  if (host === undefined || port > 65_535 || (bracketed !== undefined ? isIP(host) !== 6 : !isPlainHost(host))) {
    throw new AddressError(
      "INVALID",
      `Invalid address ${JSON.stringify(text)}: give HOST:PORT, such as "127.0.0.1:50051" or "[::1]:50051"`,
    );
  }
  return { host, port };
}

/**
 * Checks that a client can connect to an address.
 *
 * @throws {AddressError} with code INVALID when the address is one with a zone, such as `fe80::1%eth0`, which Deno's node:net
 * does not support
 */
export function checkConnectable(address: Address): void {
  if (!address.host.includes("%")) return;
  throw new AddressError(
    "INVALID",
    `Cannot connect to ${JSON.stringify(formatAddress(address))}: addresses with a zone ("%") are not supported: ` +
      "give a name, or an address that is valid beyond one link",
  );
}

/** Returns the address as text, an IPv6 address in brackets. */
export function formatAddress({ host, port }: Address): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Returns whether a host is a DNS name or an IPv4 address. Source: https://www.rfc-editor.org/rfc/rfc1123#section-2 */
function isPlainHost(host: string): boolean {
  return host.length <= 253 &&
    /^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*$/
      .test(host);
}
