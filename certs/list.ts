/** What is in a certificate directory, and how each certificate stands. */
import { certificatePath, listFiles, readPem } from "./directory.ts";
import { CertificateError } from "./errors.ts";
import { expiryWarning } from "./expiry.ts";
import { type CertificateDetails, inspectCertificate, isSignedBy, splitCertificates } from "./inspect.ts";
import { canonicalSerial } from "./revocations.ts";
import { revocationsOf } from "./revoke.ts";

/** How a certificate stands. `foreign`: no authority of the directory has signed it. */
export type Standing = "valid" | "expiring" | "ended" | "not yet valid" | "revoked" | "foreign" | "unreadable";

/** One certificate of a directory. */
export interface Listed {
  /** The name of the files. */
  readonly name: string;
  readonly path: string;
  readonly standing: Standing;
  /** True when its key is beside it. */
  readonly hasKey: boolean;
  /** Absent when unreadable. */
  readonly details?: CertificateDetails;
  /** What is to be told of its end. */
  readonly warning?: string;
}

/**
 * Looks at every certificate of a directory, the authority's first, then by name.
 *
 * @throws {CertificateError} `MISSING` when there is no authority, `UNUSABLE` for a broken list of revoked certificates,
 * `NOT_ACCESSIBLE`.
 */
export async function listCertificates(dir: string, now: Date = new Date()): Promise<Listed[]> {
  const files = await listFiles(dir);
  const authorities = await readPem(certificatePath(dir, "ca"));
  const { revoked } = await revocationsOf(dir);
  const serials = new Set(revoked.map(({ serialNumber }) => serialNumber));
  const names = files.filter((file) => file.endsWith(".crt")).map((file) => file.slice(0, -".crt".length));
  names.sort((one, other) => Number(other === "ca") - Number(one === "ca"));
  const listed: Listed[] = [];
  for (const name of names) {
    const hasKey = files.includes(`${name}.key`);
    const path = certificatePath(dir, name);
    // Where there are two authorities, each is a certificate to be told of.
    for (const pem of name === "ca" ? splitCertificates(authorities) : [await readPem(path)]) {
      listed.push(await look(pem, { name, path, hasKey }, { authorities, serials, now }));
    }
  }
  return listed;
}

/**
 * Looks at one certificate: of a name in the directory, or at a path.
 *
 * @throws {CertificateError} `MISSING`, `UNUSABLE` when it is no certificate, `NOT_ACCESSIBLE`.
 */
export async function showCertificate(dir: string, nameOrPath: string, now: Date = new Date()): Promise<Listed[]> {
  const isPath = /[/.]/.test(nameOrPath) && !(await listFiles(dir)).includes(`${nameOrPath}.crt`);
  const path = isPath ? nameOrPath : certificatePath(dir, nameOrPath);
  const text = await readPem(path);
  const pems = splitCertificates(text);
  if (pems.length === 0) throw new CertificateError("UNUSABLE", `"${path}" holds no certificate: give one in PEM`);
  const authorities = await readPem(certificatePath(dir, "ca"));
  const serials = new Set((await revocationsOf(dir)).revoked.map(({ serialNumber }) => serialNumber));
  const hasKey = !isPath && (await listFiles(dir)).includes(`${nameOrPath}.key`);
  const file = { name: nameOrPath, path, hasKey };
  return await Promise.all(pems.map((pem) => look(pem, file, { authorities, serials, now })));
}

interface Surroundings {
  readonly authorities: string;
  readonly serials: ReadonlySet<string>;
  readonly now: Date;
}

async function look(
  pem: string,
  file: Pick<Listed, "name" | "path" | "hasKey">,
  { authorities, serials, now }: Surroundings,
): Promise<Listed> {
  let details: CertificateDetails;
  try {
    details = await inspectCertificate(pem);
  } catch (error) {
    if (error instanceof CertificateError) return { ...file, standing: "unreadable" };
    throw error;
  }
  const warning = expiryWarning(details.notAfter, now);
  const standing: Standing = serials.has(canonicalSerial(details.serialNumber))
    ? "revoked"
    : !(await isSignedBy(pem, authorities))
    ? "foreign"
    : details.notAfter <= now
    ? "ended"
    : details.notBefore > now
    ? "not yet valid"
    : warning === undefined
    ? "valid"
    : "expiring";
  return { ...file, standing, details, ...(warning && standing !== "revoked" && { warning }) };
}
