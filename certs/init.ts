/** Creates a certificate directory: an authority, a server certificate and one for the first user, `admin`. */
import { createAuthority } from "./authority.ts";
import { alreadyExists, listFiles, writePairs } from "./directory.ts";
import { draftClient, draftServer, paths } from "./issue.ts";
import type { KeyKind } from "./key_kind.ts";
import { lifetime } from "./lifetime.ts";
import type { IssuedCertificate } from "./issued_certificate.ts";

/** Options of a new directory. */
export interface InitOptions {
  /** The certificate directory. Created with mode 0700 when it does not exist. */
  readonly dir: string;
  /** Hosts of the server, in addition to `localhost`, `127.0.0.1`, `::1` and the name of the machine. */
  readonly hosts?: readonly string[] | undefined;
  /** The days of validity of server and admin, 1 to 3650. Absent: 365 and 90. The authority has 3650. */
  readonly days?: number | undefined;
  /** The kind of keys. Absent: P-256. */
  readonly keyKind?: KeyKind | undefined;
  /** The current time. Absent: that of the system clock. */
  readonly now?: Date | undefined;
}

/**
 * Creates the certificates and keys of `ca`, `server` and `admin`: all, or none.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT`, `ALREADY_EXISTS` when the directory has any certificate or key, or
 * `NOT_ACCESSIBLE`; then nothing has changed
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
  // A user certificate counts too, because another authority has signed it.
  const existing = await listFiles(dir);
  if (existing.length > 0) throw alreadyExists(dir, existing, { canForce: false });

  const authority = await createAuthority(lifetime({ kind: "authority", now }), keyKind);
  const server = await draftServer({ dir, hosts, days, keyKind, now }, authority);
  const admin = await draftClient({ dir, name: "admin", roles: ["admin"], days, keyKind, now }, authority);
  await writePairs(dir, { ca: authority, server: server.pair, admin: admin.pair }, { replace: false });
  return [
    { ...paths(dir, "ca"), usage: "authority", hosts: [], roles: [], notAfter: authority.notAfter },
    server.issued,
    admin.issued,
  ];
}
