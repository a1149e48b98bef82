/** Makes sure that a directory has what a server needs, for a server that starts on a fresh machine. */
import { listFiles } from "./directory.ts";
import { CertificateError } from "./errors.ts";
import { initDirectory } from "./init.ts";
import { issueServer } from "./issue.ts";
import type { IssuedCertificate } from "./issued_certificate.ts";

/** What a server reads. The authority's key is not among it: a server need not be able to make certificates. */
const SERVING_FILES = ["ca.crt", "server.crt", "server.key"];

/** What a serving directory is to hold. */
export interface ServingOptions {
  /** The certificate directory. */
  readonly dir: string;
  /** Names and addresses of the server besides those every server has; used only if its certificate is made now. */
  readonly hosts?: readonly string[] | undefined;
}

/**
 * Which of the files a server needs are not there: of `ca.crt`, `server.crt` and `server.key`.
 *
 * @throws {CertificateError} `NOT_ACCESSIBLE`.
 */
export async function missingServerFiles(dir: string): Promise<string[]> {
  const files = await listFiles(dir);
  return SERVING_FILES.filter((name) => !files.includes(name));
}

/**
 * Makes what a server lacks and returns what was made: nothing when all is there, everything when the directory is empty
 * or absent, the server's pair when only that is missing and the authority is at hand. It repairs nothing.
 *
 * @throws {CertificateError} `MISSING` when other files are missing; and as `initDirectory` and `issueServer` do.
 */
export async function ensureServing(options: ServingOptions): Promise<IssuedCertificate[]> {
  const { dir, hosts } = options;
  const files = await listFiles(dir);
  const missing = SERVING_FILES.filter((name) => !files.includes(name));
  if (missing.length === 0) return [];
  if (files.length === 0) return await initDirectory({ dir, hosts });
  if (missing.join() === "server.crt,server.key" && files.includes("ca.key")) {
    return [await issueServer({ dir, hosts })];
  }
  throw new CertificateError(
    "MISSING",
    `"${dir}" holds certificates but lacks ${
      missing.map((name) => `"${name}"`).join(", ")
    }: restore what is missing, ` +
      "or give an empty directory to start over",
  );
}
