/** Issues server and user certificates, signed by the authority of a directory. */
import { type Authority, readAuthority } from "./authority.ts";
import { certifyKey, createCertificate } from "./certificate.ts";
import { certificatePath, keyPath, type PartialPair, writePairs } from "./directory.ts";
import { localHosts, parseHosts } from "./hosts.ts";
import type { KeyKind } from "./key_kind.ts";
import { lifetime } from "./lifetime.ts";
import type { IssuedCertificate } from "./issued_certificate.ts";
import { checkRoles, checkUser } from "./names.ts";
import { requestedKey } from "./request.ts";

/** Options of every certificate. */
export interface IssueOptions {
  /** The certificate directory. */
  readonly dir: string;
  /** The days of validity, 1 to 3650. Absent: 365 for a server and 90 for a client, or until the authority ends. */
  readonly days?: number | undefined;
  /** The kind of key. Absent: P-256. */
  readonly keyKind?: KeyKind | undefined;
  /** True to replace an existing certificate and key. */
  readonly replace?: boolean | undefined;
  /** The current time. Absent: that of the system clock. */
  readonly now?: Date | undefined;
}

/** Options of a server certificate. */
export interface ServerOptions extends IssueOptions {
  /** Hosts in addition to `localhost`, `127.0.0.1`, `::1` and the name of the machine. */
  readonly hosts?: readonly string[] | undefined;
}

/** Options of a user certificate. */
export interface ClientOptions extends IssueOptions {
  /** The user, and the name of the files. */
  readonly name: string;
  /** The roles, such as `admin`, `operator` or `viewer`; at least one. */
  readonly roles: readonly string[];
  /**
   * A certificate signing request in PEM (RFC 2986). The certificate is issued for its key, and the rest of the request
   * is ignored. Absent: a key is created.
   */
  readonly request?: string | undefined;
}

/** A certificate that is not yet written. */
export interface Draft {
  /** The certificate, and the key unless it came from a request. */
  readonly pair: PartialPair;
  readonly issued: IssuedCertificate;
}

/**
 * Issues `server.crt` and creates `server.key`.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT`, `ALREADY_EXISTS`, `MISSING` or `UNUSABLE` for the authority, or
 * `NOT_ACCESSIBLE`; then nothing has changed
 */
export async function issueServer(options: ServerOptions): Promise<IssuedCertificate> {
  return await issue(options, "server", (authority) => draftServer(options, authority));
}

/**
 * Issues `NAME.crt` for a user, and creates `NAME.key` unless there is a request.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT`, `ALREADY_EXISTS`, `MISSING` or `UNUSABLE` for the authority, or
 * `NOT_ACCESSIBLE`; then nothing has changed
 *
 * @example
 * ```ts ignore
 * const { keyPath, notAfter } = await issueClient({ dir: "/etc/teleport", name: "ann", roles: ["operator"] });
 * ```
 */
export async function issueClient(options: ClientOptions): Promise<IssuedCertificate> {
  checkUser(options.name);
  return await issue(options, options.name, (authority) => draftClient(options, authority));
}

/** Creates a server certificate in memory. */
export async function draftServer(options: ServerOptions, authority: Authority): Promise<Draft> {
  const { dir, days, now, keyKind } = options;
  const hosts = parseHosts([...localHosts(), ...(options.hosts ?? [])]).map((host) => host.value);
  const validity = lifetime({ kind: "server", days, authorityNotAfter: authority.notAfter, now });
  const pair = await createCertificate({
    usage: "server",
    commonName: "server",
    hosts,
    validity,
    issuer: authority,
    keyKind,
  });
  return { pair, issued: { ...paths(dir, "server"), usage: "server", hosts, roles: [], notAfter: validity.notAfter } };
}

/** Creates a user certificate in memory. As in Kubernetes, the CN of the subject is the user and each O is a role. */
export async function draftClient(options: ClientOptions, authority: Authority): Promise<Draft> {
  const { dir, days, now, keyKind, request } = options;
  const name = checkUser(options.name);
  const roles = checkRoles(options.roles);
  const validity = lifetime({ kind: "client", days, authorityNotAfter: authority.notAfter, now });
  const subject = { commonName: name, organizations: roles };
  const certificate = { usage: "client", ...subject, validity, issuer: authority } as const;
  const issued = { ...paths(dir, name), usage: "client", hosts: [], roles, notAfter: validity.notAfter } as const;
  if (request === undefined) return { pair: await createCertificate({ ...certificate, keyKind }), issued };
  const { keyPath: _, ...withoutKey } = issued;
  const publicKey = await requestedKey(request);
  return { pair: { certificate: await certifyKey(publicKey, certificate) }, issued: withoutKey };
}

/** Returns the paths of the files of a name. */
export function paths(dir: string, name: string): Pick<IssuedCertificate, "name" | "certificatePath" | "keyPath"> {
  return { name, certificatePath: certificatePath(dir, name), keyPath: keyPath(dir, name) };
}

async function issue(
  options: IssueOptions,
  name: string,
  draft: (authority: Authority) => Promise<Draft>,
): Promise<IssuedCertificate> {
  const { dir, replace = false, now } = options;
  const { pair, issued } = await draft(await readAuthority(dir, now));
  await writePairs(dir, { [name]: pair }, { replace });
  return issued;
}
