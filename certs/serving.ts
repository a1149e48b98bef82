/** Creates the missing certificates of a server, for the first start on a machine. */
import { listFiles } from "./directory.ts";
import { CertificateError } from "./errors.ts";
import type { IssuedCertificate } from "./issued_certificate.ts";

/** The files that a server reads. It does not need the key of the authority. */
const SERVING_FILES = ["ca.crt", "server.crt", "server.key"];

/** Options of the directory of a server. */
export interface ServingOptions {
  /** The certificate directory. */
  readonly dir: string;
  /** Hosts in addition to the default ones, for a certificate that is issued now. */
  readonly hosts?: readonly string[] | undefined;
}

/**
 * Creates the missing files of a server. An empty or missing directory gets everything. A directory with an authority
 * and its key gets the server's pair. Other directories are not repaired.
 *
 * @returns the new certificates
 * @throws {CertificateError} `MISSING` when other files are missing; and the errors of `initDirectory` and `issueServer`
 */
export async function ensureServing(options: ServingOptions): Promise<IssuedCertificate[]> {
  const { dir, hosts } = options;
  const files = await listFiles(dir);
  const missing = SERVING_FILES.filter((name) => !files.includes(name));
  if (missing.length === 0) return [];
  // Loaded on demand: a server whose certificates exist needs none of it, and would keep it in memory.
  if (files.length === 0) {
    const { initDirectory } = await import("./init.ts");
    return await initDirectory({ dir, hosts });
  }
  if (missing.join() === "server.crt,server.key" && files.includes("ca.key")) {
    const { issueServer } = await import("./issue.ts");
    return [await issueServer({ dir, hosts })];
  }
  throw new CertificateError(
    "MISSING",
    `Cannot use "${dir}": it has certificates, but not ${missing.map((name) => `"${name}"`).join(", ")}; ` +
      "restore them, or give an empty directory",
  );
}
