/** Fills a directory: an authority, a server's certificate and one for the first user, `admin`. */
import { makeAuthority } from "./authority.ts";
import { alreadyExists, listFiles, writePairs } from "./directory.ts";
import { draftClient, draftServer, paths } from "./issue.ts";
import type { KeyKind } from "./key_kind.ts";
import { lifetime } from "./lifetime.ts";
import type { IssuedCertificate } from "./issued_certificate.ts";

/** What a new directory is to hold. */
export interface InitOptions {
  /** The certificate directory; made, with mode 0700, if it is not there. */
  readonly dir: string;
  /** Names and addresses of the server besides `localhost`, `127.0.0.1`, `::1` and the machine's own name. */
  readonly hosts?: readonly string[] | undefined;
  /** Whole days of validity of server and admin, 1 to 3650. Absent: 365 and 90. The authority has 3650. */
  readonly days?: number | undefined;
  /** Which kind of keys are made; P-256 unless given. */
  readonly keyKind?: KeyKind | undefined;
  /** The present. Absent: the clock's. */
  readonly now?: Date | undefined;
}

/**
 * Makes `ca`, `server` and `admin`, certificate and key of each, all or none.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT`, `ALREADY_EXISTS` when the directory holds any certificate or key, or
 * `NOT_ACCESSIBLE`; then nothing has changed.
 *
 * @example
 * ```ts
 * const dir = await Deno.makeTempDir();
 * const [authority, server, admin] = await initDirectory({ dir, hosts: ["jobs.example.org"] });
 * await Deno.remove(dir, { recursive: true });
 * ```
 */
export async function initDirectory(options: InitOptions): Promise<IssuedCertificate[]> {
  const { dir, hosts, days, keyKind, now } = options;
  // Also a client's: it was signed by another authority and would be refused by everything made here.
  const existing = await listFiles(dir);
  if (existing.length > 0) throw alreadyExists(dir, existing);

  const authority = await makeAuthority(lifetime({ kind: "authority", now }), keyKind);
  const server = await draftServer({ dir, hosts, days, keyKind, now }, authority);
  const admin = await draftClient({ dir, name: "admin", roles: ["admin"], days, keyKind, now }, authority);
  await writePairs(dir, { ca: authority, server: server.pair, admin: admin.pair }, { replace: false });
  return [
    { ...paths(dir, "ca"), usage: "authority", hosts: [], roles: [], notAfter: authority.notAfter },
    server.issued,
    admin.issued,
  ];
}
