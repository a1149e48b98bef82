/** What is in a certificate directory, and how each certificate stands. */
import type { Certificate } from "../trust/certificate.ts";
import { authorityFault, dateFault, type RejectedChain, verifyChain } from "../trust/chain.ts";
import { expiryWarning } from "../trust/expiry.ts";
import { certificatePath, listFiles, readPemFile } from "./directory.ts";
import { CertificateError } from "./errors.ts";
import { type CertificateDetails, certificatesOf, detailsOf, splitCertificates } from "./inspect.ts";
import type { Revocation } from "./revocations.ts";
import { isOnList, revocationsOf } from "./revoke.ts";

/**
 * How a certificate stands.
 *
 * - `foreign`: no authority of the directory has signed it, nor one that the file holds too
 * - `unusable`: it cannot be believed for another reason, which the warning says
 */
export type Standing =
  | "valid"
  | "expiring"
  | "ended"
  | "not yet valid"
  | "revoked"
  | "foreign"
  | "unusable"
  | "unreadable";

/** One certificate of a directory. */
export interface ListedCertificate {
  /** The name of the files. */
  readonly name: string;
  readonly path: string;
  readonly standing: Standing;
  /** True when its key is beside it. */
  readonly hasKey: boolean;
  /** Absent when unreadable. */
  readonly details?: CertificateDetails;
  /** What is to be told of its end, or why it is not believed. */
  readonly warning?: string;
}

/**
 * Looks at every certificate of a directory, the authority's first, then by name.
 *
 * @throws {CertificateError} `MISSING` when there is no authority, `UNUSABLE` for a broken list of revoked certificates,
 * `NOT_ACCESSIBLE`.
 */
export async function listCertificates(dir: string, now: Date = new Date()): Promise<ListedCertificate[]> {
  const files = await listFiles(dir);
  const ca = await readPemFile(certificatePath(dir, "ca"));
  const surroundings = await lookAround(dir, ca, now);
  const names = files.filter((file) => file.endsWith(".crt")).map((file) => file.slice(0, -".crt".length));
  names.sort((one, other) => Number(other === "ca") - Number(one === "ca"));
  const listed: ListedCertificate[] = [];
  for (const name of names) {
    const hasKey = files.includes(`${name}.key`);
    const path = certificatePath(dir, name);
    // Where there are two authorities, each is a certificate to be told of.
    for (const pem of name === "ca" ? splitCertificates(ca) : [await readPemFile(path)]) {
      listed.push(look(pem, { name, path, hasKey }, surroundings));
    }
  }
  return listed;
}

/**
 * Looks at one certificate: of a name in the directory, or at a path.
 *
 * @throws {CertificateError} `MISSING`, `UNUSABLE` when it is no certificate, `NOT_ACCESSIBLE`.
 */
export async function showCertificate(
  dir: string,
  nameOrPath: string,
  now: Date = new Date(),
): Promise<ListedCertificate[]> {
  const isPath = /[/.]/.test(nameOrPath) && !(await listFiles(dir)).includes(`${nameOrPath}.crt`);
  const path = isPath ? nameOrPath : certificatePath(dir, nameOrPath);
  const text = await readPemFile(path);
  const pems = splitCertificates(text);
  if (pems.length === 0) throw new CertificateError("UNUSABLE", `"${path}" holds no certificate: give one in PEM`);
  const surroundings = await lookAround(dir, await readPemFile(certificatePath(dir, "ca")), now);
  const hasKey = !isPath && (await listFiles(dir)).includes(`${nameOrPath}.key`);
  const file = { name: nameOrPath, path, hasKey };
  // Those that follow may have issued it.
  return pems.map((_, index) => look(pems.slice(index).join("\n"), file, surroundings));
}

interface Surroundings {
  readonly authorities: readonly Certificate[];
  readonly revoked: readonly Revocation[];
  readonly now: Date;
}

async function lookAround(dir: string, ca: string, now: Date): Promise<Surroundings> {
  const { revoked } = await revocationsOf(dir);
  return { authorities: certificatesOf(ca), revoked, now };
}

/** @param pem the certificate, and those that came with it */
function look(
  pem: string,
  file: Pick<ListedCertificate, "name" | "path" | "hasKey">,
  surroundings: Surroundings,
): ListedCertificate {
  let chain: readonly [Certificate, ...Certificate[]];
  try {
    chain = certificatesOf(pem);
  } catch (error) {
    if (error instanceof CertificateError) return { ...file, standing: "unreadable" };
    throw error;
  }
  const [own] = chain;
  const details = detailsOf(own);
  const { now, revoked } = surroundings;
  if (isOnList(revoked, own)) return { ...file, standing: "revoked", details };
  const refused = refusalOf(chain, surroundings);
  const warning = expiryWarning(own, now);
  if (refused !== undefined) {
    const standing = standingOf(refused, own);
    return { ...file, standing, details, warning: standing === "ended" && warning ? warning : refused.reason };
  }
  return { ...file, standing: warning === undefined ? "valid" : "expiring", details, ...(warning && { warning }) };
}

function refusalOf(
  chain: readonly [Certificate, ...Certificate[]],
  { authorities, now }: Surroundings,
): RejectedChain | undefined {
  const [own] = chain;
  if (own.isAuthority) {
    const isKnown = authorities.some(({ fingerprint }) => fingerprint === own.fingerprint);
    const fault = authorityFault(own) ?? dateFault(own, now.getTime());
    if (fault !== undefined || isKnown) return fault;
  }
  const purpose = detailsOf(own).usages[0] ?? "client";
  const judged = verifyChain(chain, authorities, purpose, now.getTime());
  return judged.isTrusted ? undefined : judged;
}

function standingOf({ fault, certificate }: RejectedChain, own: Certificate): Standing {
  if (fault === "UNKNOWN_AUTHORITY" || fault === "BAD_SIGNATURE") return "foreign";
  if (certificate.fingerprint !== own.fingerprint) return "unusable";
  return fault === "ENDED" ? "ended" : fault === "NOT_YET_VALID" ? "not yet valid" : "unusable";
}
