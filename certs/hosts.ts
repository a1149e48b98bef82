/** Which names and addresses a server's certificate may cover, and which of them every server has. */
import { CertificateError } from "./errors.ts";

/** A name or address as a certificate holds it; its form decides which of the two it is. */
export interface Host {
  readonly type: "dns" | "ip";
  /** In the one spelling used everywhere: lower case, IPv6 compressed. */
  readonly value: string;
}

/** Far more than one server has, and few enough that its certificate stays well below a TLS record. */
const MAX_HOSTS = 64;

/** RFC 1035, section 2.3.4, as text without the final dot. */
const MAX_HOST_CHARS = 253;

/** Underscores are no host names by RFC 952, yet container networks make them and TLS libraries take them. */
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
const OCTET = /^(0|[1-9][0-9]{0,2})$/;

/**
 * Tells names from addresses and brings either into one spelling. A name may start with the wildcard `*.`.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT` when it is neither.
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
    `Invalid host ${JSON.stringify(host.slice(0, MAX_HOST_CHARS + 1))}: give a DNS name such as "jobs.example.org", ` +
      'or an IP address such as "192.0.2.7" or "2001:db8::7", without port, brackets or scheme',
  );
}

/**
 * Parses several, and drops repeated ones.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT` when one is neither name nor address, or there are more than 64.
 */
export function parseHosts(hosts: readonly string[]): Host[] {
  const distinct = new Map<string, Host>();
  for (const host of hosts) {
    const parsed = parseHost(host);
    distinct.set(parsed.value, parsed);
  }
  if (distinct.size > MAX_HOSTS) {
    throw new CertificateError("INVALID_ARGUMENT", `Too many hosts, "${distinct.size}": give at most ${MAX_HOSTS}`);
  }
  return [...distinct.values()];
}

/** The names and addresses under which every server is reached from its own machine. Needs `--allow-sys=hostname`. */
export function localHosts(): string[] {
  const hosts = ["localhost", "127.0.0.1", "::1"];
  const hostname = Deno.hostname();
  // A machine may be called anything; what is no name in a certificate cannot be dialled either.
  return isDnsName(hostname.toLowerCase()) ? [...hosts, hostname] : hosts;
}

function parseIpv4(text: string): string | undefined {
  const octets = text.split(".");
  return octets.length === 4 && octets.every((octet) => OCTET.test(octet) && Number(octet) <= 255) ? text : undefined;
}

function parseIpv6(text: string): string | undefined {
  if (!text.includes(":") || /[^0-9a-f:.]/.test(text)) return undefined;
  // The URL parser knows every spelling of an IPv6 address and gives back the one of RFC 5952.
  return URL.parse(`http://[${text}]`)?.hostname.slice(1, -1);
}

function isDnsName(text: string): boolean {
  if (text.length > MAX_HOST_CHARS) return false;
  const labels = text.split(".");
  if (labels[0] === "*") {
    labels.shift();
    // A wildcard for a whole top-level domain is honoured by nobody.
    if (labels.length < 2) return false;
  }
  // A name that ends in a number is taken for a misspelt IPv4 address by resolvers and by URLs.
  return labels.every((label) => LABEL.test(label)) && !/^[0-9]+$/.test(labels.at(-1) ?? "");
}
