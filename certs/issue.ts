/** Issues the certificates of servers and users, signed by the authority of a directory. */
import { type Authority, readAuthority } from "./authority.ts";
import { certifyKey, makeCertificate } from "./certificate.ts";
import { certificatePath, keyPath, type PartialPair, writePairs } from "./directory.ts";
import { localHosts, parseHosts } from "./hosts.ts";
import type { KeyKind } from "./key_kind.ts";
import { lifetime } from "./lifetime.ts";
import type { IssuedCertificate } from "./issued_certificate.ts";
import { checkRoles, checkUser } from "./names.ts";
import { requestedKey } from "./request.ts";

/** What all issuing has in common. */
export interface IssueOptions {
  /** The certificate directory. */
  readonly dir: string;
  /** Whole days of validity, 1 to 3650. Absent: 365 for a server, 90 for a client, less when the authority ends before. */
  readonly days?: number | undefined;
  /** Which kind of key is made; P-256 unless given. */
  readonly keyKind?: KeyKind | undefined;
  /** Replace an earlier certificate and key of that name. Absent: that is refused. */
  readonly replace?: boolean | undefined;
  /** The present. Absent: the clock's. */
  readonly now?: Date | undefined;
}

/** What a server's certificate is to say. */
export interface ServerOptions extends IssueOptions {
  /** Names and addresses besides `localhost`, `127.0.0.1`, `::1` and the machine's own name. */
  readonly hosts?: readonly string[] | undefined;
}

/** What a user's certificate is to say. */
export interface ClientOptions extends IssueOptions {
  /** The user, and the name of the files. */
  readonly name: string;
  /** What the user may do, such as `admin`, `operator` or `viewer`; at least one. */
  readonly roles: readonly string[];
  /**
   * A certificate signing request, in PEM (RFC 2986): the certificate is made for its key, which then need not travel.
   * Of what it says nothing else is taken.
   */
  readonly request?: string | undefined;
}

/** A certificate made but not yet written. */
export interface Draft {
  /** Without the key where that is elsewhere. */
  readonly pair: PartialPair;
  readonly issued: IssuedCertificate;
}

/**
 * Makes `server.crt` and `server.key`, which only serve.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT`, `ALREADY_EXISTS`, `MISSING` or `UNUSABLE` for the authority, or
 * `NOT_ACCESSIBLE`; then nothing has changed.
 */
export async function issueServer(options: ServerOptions): Promise<IssuedCertificate> {
  return await issue(options, "server", (authority) => draftServer(options, authority));
}

/**
 * Makes `NAME.crt` and `NAME.key` for a user, which only call.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT`, `ALREADY_EXISTS`, `MISSING` or `UNUSABLE` for the authority, or
 * `NOT_ACCESSIBLE`; then nothing has changed.
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

/** Makes a server's certificate in memory. */
export async function draftServer(options: ServerOptions, authority: Authority): Promise<Draft> {
  const { dir, days, now, keyKind } = options;
  const hosts = parseHosts([...localHosts(), ...(options.hosts ?? [])]).map((host) => host.value);
  const validity = lifetime({ kind: "server", days, authorityNotAfter: authority.notAfter, now });
  const pair = await makeCertificate({
    usage: "server",
    commonName: "server",
    hosts,
    validity,
    issuer: authority,
    keyKind,
  });
  return { pair, issued: { ...paths(dir, "server"), usage: "server", hosts, roles: [], notAfter: validity.notAfter } };
}

/** Makes a user's certificate in memory. As in Kubernetes, the subject's CN is the user and each O is a role. */
export async function draftClient(options: ClientOptions, authority: Authority): Promise<Draft> {
  const { dir, days, now, keyKind, request } = options;
  const name = checkUser(options.name);
  const roles = checkRoles(options.roles);
  const validity = lifetime({ kind: "client", days, authorityNotAfter: authority.notAfter, now });
  const subject = { commonName: name, organizations: roles };
  const certificate = { usage: "client", ...subject, validity, issuer: authority } as const;
  const made = { ...paths(dir, name), usage: "client", hosts: [], roles, notAfter: validity.notAfter } as const;
  if (request === undefined) return { pair: await makeCertificate({ ...certificate, keyKind }), issued: made };
  const { keyPath: _, ...withoutKey } = made;
  const publicKey = await requestedKey(request);
  return { pair: { certificate: await certifyKey(publicKey, certificate) }, issued: withoutKey };
}

/** Where the files of a name are, for a report. */
export function paths(dir: string, name: string): Pick<IssuedCertificate, "name" | "certificatePath" | "keyPath"> {
  return { name, certificatePath: certificatePath(dir, name), keyPath: keyPath(dir, name) };
}

async function issue(
  options: IssueOptions,
  name: string,
  draft: (authority: Authority) => Promise<Draft>,
): Promise<IssuedCertificate> {
  const { dir, replace = false, now } = options;
  const { pair, issued: made } = await draft(await readAuthority(dir, now));
  await writePairs(dir, { [name]: pair }, { replace });
  return made;
}
