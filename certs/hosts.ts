/** The host names and IP addresses of server certificates. */
import { CertificateError } from "./errors.ts";

/** A host name or an IP address. */
export interface Host {
  readonly type: "dns" | "ip";
  /** The canonical form: lower case, and compressed IPv6 (RFC 5952). */
  readonly value: string;
}

/** The number of hosts at most. The certificate still fits well into one TLS record. */
const MAX_HOSTS = 64;

/** The longest name (RFC 1035, section 2.3.4), as text without the final dot. */
const MAX_HOST_CHARS = 253;

/** RFC 952 does not allow underscores, but container networks use them and TLS libraries accept them. */
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
const OCTET = /^(0|[1-9][0-9]{0,2})$/;

/**
 * Parses a DNS name or an IP address. A name may start with the wildcard `*.`.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT` when it is not valid
 *
 * @example
 * ```ts
 * parseHost("Jobs.Example.org"); // { type: "dns", value: "jobs.example.org" }
 * parseHost("0:0::1"); // { type: "ip", value: "::1" }
 * ```
 */
export function parseHost(host: string): Host {
  const value = host.toLowerCase();
  if (value.length <= MAX_HOST_CHARS) {
    const address = parseIpv4(value) ?? parseIpv6(value);
    if (address !== undefined) return { type: "ip", value: address };
    if (isDnsName(value)) return { type: "dns", value };
  }
  throw new CertificateError(
    "INVALID_ARGUMENT",
    `'--host' must be a DNS name such as "jobs.example.org", or an IP address such as "192.0.2.7" or "2001:db8::7", ` +
      `without port, brackets or scheme, got ${JSON.stringify(host.slice(0, MAX_HOST_CHARS + 1))}`,
  );
}

/**
 * Parses several hosts, and removes duplicates.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT` when one is not valid, or there are more than 64
 */
export function parseHosts(hosts: readonly string[]): Host[] {
  const distinct = new Map<string, Host>();
  for (const host of hosts) {
    const parsed = parseHost(host);
    distinct.set(parsed.value, parsed);
  }
  if (distinct.size > MAX_HOSTS) {
    throw new CertificateError(
      "INVALID_ARGUMENT",
      `A certificate can have at most ${MAX_HOSTS} hosts, got ${distinct.size}`,
    );
  }
  return [...distinct.values()];
}

/** Returns the hosts that every server certificate has. Needs `--allow-sys=hostname`. */
export function localHosts(): string[] {
  const hosts = ["localhost", "127.0.0.1", "::1"];
  const hostname = Deno.hostname();
  // A machine can have a name that is not a DNS name. Nobody can connect to such a name.
  return isDnsName(hostname.toLowerCase()) ? [...hosts, hostname] : hosts;
}

function parseIpv4(text: string): string | undefined {
  const octets = text.split(".");
  return octets.length === 4 && octets.every((octet) => OCTET.test(octet) && Number(octet) <= 255) ? text : undefined;
}

function parseIpv6(text: string): string | undefined {
  if (!text.includes(":") || /[^0-9a-f:.]/.test(text)) return undefined;
  // The URL parser accepts every form of an IPv6 address and returns that of RFC 5952.
  return URL.parse(`http://[${text}]`)?.hostname.slice(1, -1);
}

function isDnsName(text: string): boolean {
  if (text.length > MAX_HOST_CHARS) return false;
  const labels = text.split(".");
  if (labels[0] === "*") {
    labels.shift();
    // TLS libraries refuse a wildcard for a whole top-level domain.
    if (labels.length < 2) return false;
  }
  // Resolvers and URLs treat a name that ends in a number as a wrong IPv4 address.
  return labels.every((label) => LABEL.test(label)) && !/^[0-9]+$/.test(labels.at(-1) ?? "");
}
