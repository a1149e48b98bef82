/** Makes bundles: one file with all that a user's second machine needs. */
import { createPrivateKey, createPublicKey } from "node:crypto";
import { failureReason } from "../base/errno.ts";
import { writeText } from "../text/write_text.ts";
import { type Bundle, formatBundle } from "../trust/bundle.ts";
import { isPrivateKeyLabel, parsePem } from "../trust/pem.ts";
import type { Certificate } from "../trust/certificate.ts";
import { verifyChain } from "../trust/chain.ts";
import { checkKeyAccess } from "./access_checks.ts";
import { certificatePath, keyPath, readPemFile } from "./directory.ts";
import { CertificateError } from "./errors.ts";
import { certificatesOf, detailsOf, firstCertificate } from "./inspect.ts";
import { checkUser } from "./names.ts";

/** The port of a server with default options. */
const DEFAULT_PORT = 50_051;

/** Options of a bundle. */
export interface BundleOptions {
  /** The certificate directory. */
  readonly dir: string;
  /** The user. */
  readonly name: string;
  /** HOST:PORT of the server. Absent: a host of the server's certificate, and the default port. */
  readonly address?: string | undefined;
}

/** A new bundle. */
export interface NewBundle {
  readonly text: string;
  readonly address: string;
  /** Says that the address does not fit the server's certificate. Absent when it fits. */
  readonly warning?: string;
}

/**
 * Makes the bundle of a user.
 *
 * @throws {CertificateError} `MISSING` when the directory lacks a part. `UNUSABLE` when the parts do not fit together, or
 * the certificate has ended. `INVALID_ARGUMENT` for an address that is not valid
 */
export async function makeBundle({ dir, name, address: given }: BundleOptions): Promise<NewBundle> {
  checkUser(name);
  const authority = await readPemFile(certificatePath(dir, "ca"));
  const certificate = await readPemFile(certificatePath(dir, name));
  const key = await readKey(dir, name);
  const chain = certificatesOf(certificate, certificatePath(dir, name));
  const verdict = verifyChain(chain, certificatesOf(authority, certificatePath(dir, "ca")), "client");
  if (!verdict.isTrusted) {
    throw new CertificateError("UNUSABLE", `Cannot bundle "${name}": ${verdict.reason}; make or renew its certificate`);
  }
  checkKey(key, chain[0], keyPath(dir, name));
  const hosts = await serverHosts(dir);
  const address = given === undefined ? defaultAddress(hosts) : checkAddress(given);
  const bundle: Bundle = { address, identity: name, authority, certificate, key };
  const warning = warningFor(address, hosts);
  return { text: formatBundle(bundle), address, ...(warning === undefined ? {} : { warning }) };
}

/**
 * Writes a bundle into a file with mode 0600.
 *
 * @throws {CertificateError} `ALREADY_EXISTS` or `NOT_ACCESSIBLE`
 */
export async function writeBundle(path: string, text: string, { replace }: { replace: boolean }): Promise<void> {
  // The file gets its name when it is complete.
  const staged = `${path}.${crypto.randomUUID()}`;
  try {
    using file = await Deno.open(staged, { write: true, createNew: true, mode: 0o600 });
    writeText(file, text, `"${staged}"`);
    await file.sync();
    // A hard link fails when the target exists. A rename would replace it.
    await (replace ? Deno.rename(staged, path) : Deno.link(staged, path));
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) {
      throw new CertificateError(
        "ALREADY_EXISTS",
        `Cannot write "${path}": it exists; use --force to replace it, or give another path`,
        { cause, path },
      );
    }
    throw new CertificateError("NOT_ACCESSIBLE", `Cannot write "${path}": ${failureReason(cause)}`, { cause, path });
  } finally {
    await Deno.remove(staged).catch(() => {});
  }
}

async function readKey(dir: string, name: string): Promise<string> {
  try {
    await checkKeyAccess(keyPath(dir, name));
    return await readPemFile(keyPath(dir, name));
  } catch (error) {
    if (!(error instanceof CertificateError) || error.code !== "MISSING") throw error;
    throw new CertificateError(
      "MISSING",
      `Cannot bundle "${name}": the directory does not have "${name}.key"; with a request, the user has the key: ` +
        `send ca.crt and ${name}.crt`,
      { cause: error, path: keyPath(dir, name) },
    );
  }
}

/** A key with a passphrase is refused too, because the client cannot use it. */
function checkKey(pem: string, { publicKey }: Certificate, path: string): void {
  let spki: Uint8Array;
  try {
    if (!parsePem(pem).some(({ label }) => isPrivateKeyLabel(label))) throw new Error("no key");
    spki = createPublicKey(createPrivateKey(pem)).export({ type: "spki", format: "der" });
  } catch (cause) {
    throw new CertificateError("UNUSABLE", `Cannot read the key in "${path}": give it in PEM, without a passphrase`, {
      cause,
      path,
    });
  }
  if (spki.toBase64() !== publicKey.toBase64()) {
    throw new CertificateError("UNUSABLE", `Cannot use "${path}": it is the key of another certificate`, { path });
  }
}

/** Returns the hosts of the server's certificate. Undefined when the directory does not have it. */
async function serverHosts(dir: string): Promise<readonly string[] | undefined> {
  try {
    const path = certificatePath(dir, "server");
    return detailsOf(firstCertificate(await readPemFile(path), path)).hosts;
  } catch (error) {
    if (error instanceof CertificateError && error.code === "MISSING") return undefined;
    throw error;
  }
}

function isLocal(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

function defaultAddress(hosts: readonly string[] | undefined): string {
  const host = hosts?.find((host) => !isLocal(host) && !host.startsWith("*"));
  if (host !== undefined) return `${host.includes(":") ? `[${host}]` : host}:${DEFAULT_PORT}`;
  throw new CertificateError(
    "INVALID_ARGUMENT",
    "Cannot find the address of the server: its certificate names no host that another machine can use; give " +
      "--address HOST:PORT",
  );
}

function checkAddress(address: string): string {
  const port = Number(/^(?:\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):(\d{1,5})$/.exec(address)?.[1] ?? 0);
  if (port >= 1 && port <= 65_535) return address;
  throw new CertificateError("INVALID_ARGUMENT", `'--address' must be HOST:PORT, got ${JSON.stringify(address)}`);
}

function warningFor(address: string, hosts: readonly string[] | undefined): string | undefined {
  const host = address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "").toLowerCase();
  const fits = (known: string) =>
    known.toLowerCase() === host || (known.startsWith("*.") && host.slice(host.indexOf(".")) === known.slice(1));
  if (hosts === undefined || hosts.some(fits)) return undefined;
  return `The server's certificate is not for "${host}", so clients will refuse it: use --address with ` +
    `${hosts.join(", ")}, or make another one with "certs server --force --host ${host}"`;
}
