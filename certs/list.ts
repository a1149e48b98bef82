/** Lists the certificates of a directory with their state. */
import { splitCertificates } from "../trust/pem.ts";
import type { Certificate } from "../trust/certificate.ts";
import { verifyChain } from "../trust/chain.ts";
import { authorityFault, dateFault, type RejectedChain } from "../trust/chain_faults.ts";
import { expiryWarning } from "../trust/expiry.ts";
import { certificatePath, listFiles, readPemFile } from "./directory.ts";
import { CertificateError } from "./errors.ts";
import { type CertificateDetails, certificatesOf, detailsOf } from "./inspect.ts";
import type { Revocation } from "./revocation_lists.ts";
import { isOnList, readRevocationFile } from "./revoke.ts";

/**
 * The state of a certificate.
 *
 * - `foreign`: neither an authority of the directory nor one in the file has signed it
 * - `unusable`: it is not valid for another reason, which the warning names
 */
export type CertificateStanding =
  | "valid"
  | "expiring"
  | "ended"
  | "not yet valid"
  | "revoked"
  | "foreign"
  | "unusable"
  | "unreadable";

/** A certificate and its state. */
export interface ListedCertificate {
  /** The name of the files. */
  readonly name: string;
  readonly path: string;
  readonly standing: CertificateStanding;
  /** True when the directory has its key. */
  readonly hasKey: boolean;
  /** The contents. Absent when unreadable. */
  readonly details?: CertificateDetails;
  /** The warning about its end, or the reason why it is not valid. */
  readonly warning?: string;
}

/**
 * Lists every certificate of a directory: the authority first, then by name.
 *
 * @throws {CertificateError} `MISSING` when the authority is missing, `UNUSABLE` when the revocation list is damaged, or
 * `NOT_ACCESSIBLE`
 */
export async function listCertificates(dir: string, now: Date = new Date()): Promise<ListedCertificate[]> {
  const files = await listFiles(dir);
  const ca = await readPemFile(certificatePath(dir, "ca"));
  const context = await readContext(dir, ca, now);
  const names = files.filter((file) => file.endsWith(".crt")).map((file) => file.slice(0, -".crt".length));
  names.sort((one, other) => Number(other === "ca") - Number(one === "ca"));
  const listed: ListedCertificate[] = [];
  for (const name of names) {
    const hasKey = files.includes(`${name}.key`);
    const path = certificatePath(dir, name);
    // While an authority is renewed, ca.crt has two.
    for (const pem of name === "ca" ? splitCertificates(ca) : [await readPemFile(path)]) {
      listed.push(examine(pem, { name, path, hasKey }, context));
    }
  }
  return listed;
}

/**
 * Lists the certificates of one file: a name in the directory, or a path.
 *
 * @throws {CertificateError} `MISSING`, `UNUSABLE` when the file has no certificate, or `NOT_ACCESSIBLE`
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
  if (pems.length === 0) throw new CertificateError("UNUSABLE", `Cannot use "${path}": it has no certificate in PEM`);
  const context = await readContext(dir, await readPemFile(certificatePath(dir, "ca")), now);
  const hasKey = !isPath && (await listFiles(dir)).includes(`${nameOrPath}.key`);
  const file = { name: nameOrPath, path, hasKey };
  // A later certificate in the file may have issued this one.
  return pems.map((_, index) => examine(pems.slice(index).join("\n"), file, context));
}

/** The data that the state of a certificate depends on. */
interface TrustContext {
  readonly authorities: readonly Certificate[];
  readonly revoked: readonly Revocation[];
  readonly now: Date;
}

async function readContext(dir: string, ca: string, now: Date): Promise<TrustContext> {
  const { revoked } = await readRevocationFile(dir);
  return { authorities: certificatesOf(ca), revoked, now };
}

/** @param pem the certificate, and the later ones of its file */
function examine(
  pem: string,
  file: Pick<ListedCertificate, "name" | "path" | "hasKey">,
  context: TrustContext,
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
  const { now, revoked } = context;
  if (isOnList(revoked, own)) return { ...file, standing: "revoked", details };
  const refused = refusalOf(chain, context);
  const warning = expiryWarning(own, now);
  if (refused !== undefined) {
    const standing = ownerOf(refused, own);
    return { ...file, standing, details, warning: standing === "ended" && warning ? warning : refused.reason };
  }
  return { ...file, standing: warning === undefined ? "valid" : "expiring", details, ...(warning && { warning }) };
}

function refusalOf(
  chain: readonly [Certificate, ...Certificate[]],
  { authorities, now }: TrustContext,
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

function ownerOf({ fault, certificate }: RejectedChain, own: Certificate): CertificateStanding {
  if (fault === "UNKNOWN_AUTHORITY" || fault === "BAD_SIGNATURE") return "foreign";
  if (certificate.fingerprint !== own.fingerprint) return "unusable";
  return fault === "ENDED" ? "ended" : fault === "NOT_YET_VALID" ? "not yet valid" : "unusable";
}
