/** The certificate authority of a directory: creates it in memory, and reads it for signing. */
import { splitCertificates } from "../trust/pem.ts";
import { createCertificate, type KeyPair } from "./certificate.ts";
import { certificatePath, keyPath, readPemFile } from "./directory.ts";
import { CertificateError, type CertificateErrorOptions } from "./errors.ts";
import { inspectCertificate, parseCertificate } from "./inspect.ts";
import { belongsTo, type KeyKind, readSigningKey } from "./key_kind.ts";
import type { Validity } from "./lifetime.ts";

/** An authority that can sign. */
export interface Authority extends KeyPair {
  /** The end of its validity. */
  readonly notAfter: Date;
}

/** Creates an authority. Its random name distinguishes it in messages from other authorities. */
export async function createAuthority(validity: Validity, keyKind?: KeyKind): Promise<Authority> {
  const suffix = crypto.getRandomValues(new Uint8Array(4)).toHex();
  const pair = await createCertificate({ usage: "authority", commonName: `teleport CA ${suffix}`, validity, keyKind });
  return { ...pair, notAfter: validity.notAfter };
}

/**
 * Reads the authority of a directory, and checks that it can sign.
 *
 * @throws {CertificateError} `MISSING` when the certificate or the key is missing, or `NOT_ACCESSIBLE`
 * @throws {CertificateError} `UNUSABLE` when it is damaged, not an authority, has ended, or the key does not belong to it
 */
export async function readAuthority(dir: string, now: Date = new Date()): Promise<Authority> {
  const paths = { certificate: certificatePath(dir, "ca"), key: keyPath(dir, "ca") };
  // The first of two authorities signs.
  const [certificate = ""] = splitCertificates(await readPart(paths.certificate));
  const key = await readPart(paths.key);
  const { isAuthority, notAfter } = await inspectCertificate(certificate).catch((cause) => {
    throw unusable(paths.certificate, "it is not a certificate", { cause });
  });
  if (!isAuthority) throw unusable(paths.certificate, "it is not the certificate of an authority");
  if (notAfter <= now) {
    throw unusable(paths.certificate, `it ended on ${notAfter.toISOString().slice(0, 10)}`, { isEnded: true });
  }
  const signingKey = await readSigningKey(key).catch((cause) => {
    throw unusable(paths.key, "it is not a P-256 or Ed25519 key in PKCS #8", { cause });
  });
  if (!(await belongsTo(signingKey, parseCertificate(certificate)))) {
    throw unusable(paths.key, `it does not belong to "${paths.certificate}"`);
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
      `Cannot read "${path}": it does not exist; run "certs init" first, or give another directory`,
      { cause: error, path },
    );
  }
}

function unusable(path: string, reason: string, options: CertificateErrorOptions = {}): CertificateError {
  const message = `Cannot use "${path}": ${reason}; restore it, or create an authority in another directory`;
  return new CertificateError("UNUSABLE", message, { ...options, path });
}
