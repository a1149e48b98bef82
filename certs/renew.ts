/** Renews certificates, and the authority: the same contents with a new serial number, key and end. */
import { quote } from "../base/quote.ts";
import { splitCertificates } from "../trust/pem.ts";
import { createAuthority, readAuthority } from "./authority.ts";
import { certifyKey, createCertificate } from "./certificate.ts";
import { certificatePath, listFiles, readPemFile, withLock, writePairs } from "./directory.ts";
import { CertificateError } from "./errors.ts";
import { detailsOf, firstCertificate, isSignedBy, parseCertificate } from "./inspect.ts";
import { type IssueOptions, paths } from "./issue.ts";
import { lifetime } from "./lifetime.ts";
import type { IssuedCertificate } from "./issued_certificate.ts";
import { isOnList, readRevocationFile, writeRevocationList } from "./revoke.ts";

/** Options of a renewal. */
export interface RenewOptions extends Omit<IssueOptions, "replace"> {
  /** The name of the files: `server` or a user. */
  readonly name: string;
}

/**
 * Renews a certificate with a new key. When the directory does not have its key, because it was issued for a request,
 * the certificate is renewed for the same key.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT`, `MISSING` or `UNUSABLE` for certificate or authority, or
 * `NOT_ACCESSIBLE`; then nothing has changed
 */
export async function renew(options: RenewOptions): Promise<IssuedCertificate> {
  const { dir, name, days, keyKind, now } = options;
  if (!/^[^/\0.][^/\0]{0,199}$/.test(name)) {
    throw new CertificateError(
      "INVALID_ARGUMENT",
      `'NAME' must be "server" or the name of a user, got ${quote(name)}`,
    );
  }
  const before = await readPemFile(certificatePath(dir, name));
  const certificateBefore = firstCertificate(before, certificatePath(dir, name));
  const { commonNames, organizations, hosts, usages, isAuthority } = detailsOf(certificateBefore);
  const usage = usages[0];
  if (isAuthority || usages.length !== 1 || usage === undefined) {
    throw new CertificateError(
      "UNUSABLE",
      `Cannot renew "${certificatePath(dir, name)}": it is not a user certificate or a server certificate`,
    );
  }
  const { revoked } = await readRevocationFile(dir);
  // A renewal of many certificates must not admit a revoked user again.
  if (isOnList(revoked, certificateBefore)) {
    const command = usage === "server" ? "server --force" : `client ${name} --role ROLE --force`;
    throw new CertificateError(
      "UNUSABLE",
      `Cannot renew "${certificatePath(dir, name)}": it is revoked; to admit it again, run "certs ${command}"`,
    );
  }
  const authority = await readAuthority(dir, now);
  const validity = lifetime({ kind: usage, days, authorityNotAfter: authority.notAfter, now });
  const [commonName = ""] = commonNames;
  const certificate = { usage, commonName, organizations, hosts, validity, issuer: authority };
  const hasKey = (await listFiles(dir)).includes(`${name}.key`);
  const pair = hasKey
    ? await createCertificate({ ...certificate, keyKind })
    : { certificate: await certifyKey(await parseCertificate(before).publicKey.export(), certificate) };
  await writePairs(dir, { [name]: pair }, { replace: true });
  const { keyPath: path, ...where } = paths(dir, name);
  return {
    ...where,
    ...(hasKey && path && { keyPath: path }),
    usage,
    hosts,
    roles: organizations,
    ...notAfter(validity),
  };
}

/**
 * Creates a new authority in addition to the old one. `ca.crt` then has both, the new one first, which signs from now
 * on. Servers and users with this `ca.crt` accept certificates of both.
 *
 * @throws {CertificateError} `ALREADY_EXISTS` when `ca.crt` already has two; `MISSING` or `UNUSABLE` for the authority
 */
export async function renewAuthority(
  { dir, keyKind, now = new Date() }: Omit<RenewOptions, "name">,
): Promise<IssuedCertificate> {
  return await withLock(dir, async () => {
    const before = await readPemFile(certificatePath(dir, "ca"));
    if (splitCertificates(before).length > 1) {
      throw new CertificateError(
        "ALREADY_EXISTS",
        `Cannot renew the authority: "${certificatePath(dir, "ca")}" already has two; ` +
          'renew all certificates, then run "certs renew ca --finish"',
      );
    }
    const old = await readAuthority(dir, now).catch(ignoreEnded);
    const { revoked, number } = await readRevocationFile(dir);
    const authority = await createAuthority(lifetime({ kind: "authority", now }), keyKind);
    const certificate = authority.certificate + (old === undefined ? "" : old.certificate);
    await writePairs(dir, { ca: { certificate, key: authority.key } }, { replace: true });
    if (revoked.length > 0) await writeRevocationList(dir, revoked, number + 1, authority, now);
    return issuedAuthority(dir, authority.notAfter);
  });
}

/**
 * Removes the old authorities from `ca.crt`. Their certificates are refused from then on.
 *
 * @throws {CertificateError} `MISSING` or `UNUSABLE` for the authority, or when an old one signed the server certificate
 */
export async function finishAuthority(dir: string, now: Date = new Date()): Promise<IssuedCertificate> {
  return await withLock(dir, async () => {
    const authority = await readAuthority(dir, now);
    const [own = ""] = splitCertificates(authority.certificate);
    if ((await listFiles(dir)).includes("server.crt")) {
      const server = certificatePath(dir, "server");
      if (!isSignedBy(await readPemFile(server), own)) {
        throw new CertificateError(
          "UNUSABLE",
          `Cannot remove the old authority: it signed "${server}"; run "certs renew server" first`,
        );
      }
    }
    const { revoked, number } = await readRevocationFile(dir);
    // First, so that an accepted authority has always signed the list.
    if (revoked.length > 0) await writeRevocationList(dir, revoked, number + 1, authority, now);
    await writePairs(dir, { ca: { certificate: `${own}\n` } }, { replace: true });
    return issuedAuthority(dir, authority.notAfter);
  });
}

/** Returns undefined for an authority that has ended. Its certificates are refused, so it needs no transition. */
function ignoreEnded(error: unknown): undefined {
  if (error instanceof CertificateError && error.isEnded) return undefined;
  throw error;
}

function notAfter(validity: { readonly notAfter: Date }): Pick<IssuedCertificate, "notAfter"> {
  return { notAfter: validity.notAfter };
}

function issuedAuthority(dir: string, notAfter: Date): IssuedCertificate {
  return { ...paths(dir, "ca"), usage: "authority", hosts: [], roles: [], notAfter };
}
