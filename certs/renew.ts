/** Renews certificates: the same words with a new serial number, a new key and a new end. The authority too. */
import { makeAuthority, readAuthority } from "./authority.ts";
import { certifyKey, makeCertificate } from "./certificate.ts";
import { certificatePath, listFiles, readPemFile, withLock, writePairs } from "./directory.ts";
import { CertificateError } from "./errors.ts";
import { detailsOf, firstCertificate, isSignedBy, parseCertificate, splitCertificates } from "./inspect.ts";
import { type IssueOptions, paths } from "./issue.ts";
import { lifetime } from "./lifetime.ts";
import type { IssuedCertificate } from "./issued_certificate.ts";
import { isOnList, revocationsOf, writeRevocations } from "./revoke.ts";

/** What is to be renewed. */
export interface RenewOptions extends Omit<IssueOptions, "replace"> {
  /** The name of the files: `server` or a user's. */
  readonly name: string;
}

/**
 * Makes a certificate that says what the one of that name says, with a new key, and puts it in its place. Where the key
 * is not in the directory, as of one made from a request, the certificate is made anew for the same key.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT`, `MISSING` or `UNUSABLE` for certificate or authority, or
 * `NOT_ACCESSIBLE`; then nothing has changed.
 */
export async function renew(options: RenewOptions): Promise<IssuedCertificate> {
  const { dir, name, days, keyKind, now } = options;
  if (!/^[^/\0.][^/\0]{0,199}$/.test(name)) {
    throw new CertificateError(
      "INVALID_ARGUMENT",
      `Invalid name ${JSON.stringify(name.slice(0, 60))}: give "server" or a user's`,
    );
  }
  const before = await readPemFile(certificatePath(dir, name));
  const certificateBefore = firstCertificate(before);
  const { commonNames, organizations, hosts, usages, isAuthority } = detailsOf(certificateBefore);
  const usage = usages[0];
  if (isAuthority || usages.length !== 1 || usage === undefined) {
    throw new CertificateError("UNUSABLE", `"${certificatePath(dir, name)}" is no user's and no server's certificate`);
  }
  const { revoked } = await revocationsOf(dir);
  // Whoever was shut out must not come in again with all the others, when somebody renews what is about to end.
  if (isOnList(revoked, certificateBefore)) {
    const anew = usage === "server" ? "server --force" : `client ${name} --role ROLE --force`;
    throw new CertificateError(
      "UNUSABLE",
      `"${certificatePath(dir, name)}" was revoked: if it is to be let in again, make a new one with "${anew}"`,
    );
  }
  const authority = await readAuthority(dir, now);
  const validity = lifetime({ kind: usage, days, authorityNotAfter: authority.notAfter, now });
  const [commonName = ""] = commonNames;
  const certificate = { usage, commonName, organizations, hosts, validity, issuer: authority };
  const hasKey = (await listFiles(dir)).includes(`${name}.key`);
  const pair = hasKey
    ? await makeCertificate({ ...certificate, keyKind })
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
 * Makes a new authority beside the old: `ca.crt` then holds both, the new one first, and what is issued from now on is
 * signed by the new. Servers and users that have this `ca.crt` accept certificates of both.
 *
 * @throws {CertificateError} `ALREADY_EXISTS` when a change is under way; `MISSING` or `UNUSABLE` for the authority.
 */
export async function renewAuthority(
  { dir, keyKind, now = new Date() }: Omit<RenewOptions, "name">,
): Promise<IssuedCertificate> {
  return await withLock(dir, async () => {
    const before = await readPemFile(certificatePath(dir, "ca"));
    if (splitCertificates(before).length > 1) {
      throw new CertificateError(
        "ALREADY_EXISTS",
        `"${
          certificatePath(dir, "ca")
        }" holds two authorities already: run "renew ca --finish" first, once all have new ` +
          "certificates",
      );
    }
    const old = await readAuthority(dir, now).catch(ended);
    const { revoked, number } = await revocationsOf(dir);
    const authority = await makeAuthority(lifetime({ kind: "authority", now }), keyKind);
    const certificate = authority.certificate + (old === undefined ? "" : old.certificate);
    await writePairs(dir, { ca: { certificate, key: authority.key } }, { replace: true });
    if (revoked.length > 0) await writeRevocations(dir, revoked, number + 1, authority, now);
    return madeAuthority(dir, authority.notAfter);
  });
}

/**
 * Drops the old authorities from `ca.crt`: what they signed is refused from then on.
 *
 * @throws {CertificateError} `MISSING` or `UNUSABLE` for the authority, or when the server's certificate is of an old one.
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
          `"${server}" is still of the old authority, so that nobody could reach the server: run "renew server" first`,
        );
      }
    }
    const { revoked, number } = await revocationsOf(dir);
    // First, so that there is never a list that no accepted authority has signed.
    if (revoked.length > 0) await writeRevocations(dir, revoked, number + 1, authority, now);
    await writePairs(dir, { ca: { certificate: `${own}\n` } }, { replace: true });
    return madeAuthority(dir, authority.notAfter);
  });
}

/** An authority that has ended needs no transition: nothing that it signed is accepted. */
function ended(error: unknown): undefined {
  if (error instanceof CertificateError && error.isEnded) return undefined;
  throw error;
}

function notAfter(validity: { readonly notAfter: Date }): Pick<IssuedCertificate, "notAfter"> {
  return { notAfter: validity.notAfter };
}

function madeAuthority(dir: string, notAfter: Date): IssuedCertificate {
  return { ...paths(dir, "ca"), usage: "authority", hosts: [], roles: [], notAfter };
}
