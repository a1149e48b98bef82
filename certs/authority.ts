/** The authority of a directory: makes a new one in memory, and reads one for signing. */
import { type KeyPair, makeCertificate } from "./certificate.ts";
import { certificatePath, keyPath, readPemFile } from "./directory.ts";
import { CertificateError, type CertificateErrorOptions } from "./errors.ts";
import { inspectCertificate, parseCertificate, splitCertificates } from "./inspect.ts";
import { belongsTo, type KeyKind, readSigningKey } from "./key_kind.ts";
import type { Validity } from "./lifetime.ts";

/** An authority's certificate and key, and until when it may sign. */
export interface Authority extends KeyPair {
  readonly notAfter: Date;
}

/** Makes an authority. Its name is its own, so that a message about a foreign one can be told from one about this. */
export async function makeAuthority(validity: Validity, keyKind?: KeyKind): Promise<Authority> {
  const suffix = crypto.getRandomValues(new Uint8Array(4)).toHex();
  const pair = await makeCertificate({ usage: "authority", commonName: `teleport CA ${suffix}`, validity, keyKind });
  return { ...pair, notAfter: validity.notAfter };
}

/**
 * Reads the authority of a directory and makes sure that what it signs will be accepted.
 *
 * @throws {CertificateError} `MISSING` when the directory has none, or only its public half; `UNUSABLE` when it is
 * damaged, is no authority, has ended, or its key is another's; `NOT_ACCESSIBLE`.
 */
export async function readAuthority(dir: string, now: Date = new Date()): Promise<Authority> {
  const paths = { certificate: certificatePath(dir, "ca"), key: keyPath(dir, "ca") };
  // Of two authorities the first is the one that signs.
  const [certificate = ""] = splitCertificates(await readPart(paths.certificate));
  const key = await readPart(paths.key);
  const { isAuthority, notAfter } = await inspectCertificate(certificate).catch((cause) => {
    throw unusable(paths.certificate, "is no certificate", { cause });
  });
  if (!isAuthority) throw unusable(paths.certificate, "is not the certificate of an authority");
  if (notAfter <= now) {
    throw unusable(paths.certificate, `ended on "${notAfter.toISOString().slice(0, 10)}"`, { isEnded: true });
  }
  const signingKey = await readSigningKey(key).catch((cause) => {
    throw unusable(paths.key, "is no P-256 or Ed25519 key in PKCS #8", { cause });
  });
  if (!(await belongsTo(signingKey, parseCertificate(certificate)))) {
    throw unusable(paths.key, `does not belong to "${paths.certificate}"`);
  }
  return { certificate: `${certificate}\n`, key, notAfter };
}

async function readPart(path: string): Promise<string> {
  try {
    return await readPemFile(path);
  } catch (error) {
    if (!(error instanceof CertificateError) || error.code !== "MISSING") throw error;
    throw new CertificateError(
      "MISSING",
      `"${path}" is missing: run "init" first, or give the directory in which it was run`,
      { cause: error, path },
    );
  }
}

function unusable(path: string, what: string, options: CertificateErrorOptions = {}): CertificateError {
  const message = `"${path}" ${what}: restore it, or make a new authority elsewhere`;
  return new CertificateError("UNUSABLE", message, { ...options, path });
}
