/** Reads the server's certificates and the list of revoked certificates, and warns about their problems. */
import { errorMessage } from "../base/error_message.ts";
import type { Logger } from "../base/logger.ts";
import { CertificateError } from "../certs/errors.ts";
import type { NamedDates } from "../certs/expiry_reminder.ts";
import {
  authorityKeyIn,
  readRevokedCertificates as readList,
  readServerFiles,
  type RevokedCertificates,
} from "../certs/server_files.ts";
import {
  checkTlsCredentials,
  readAuthorities,
  readChain,
  type TlsCredentials,
  TlsCredentialsError,
  validityPeriods,
} from "../rpc/shared/tls_credentials.ts";
import { type TrustedChain, verifyChain } from "../trust/chain.ts";
import type { RejectedChain } from "../trust/chain_faults.ts";
import { issuerKey } from "../trust/revocation.ts";
import type { KnownAuthority, RevocationMemory } from "./revocation_memory.ts";
import { StartError } from "./start_error.ts";

/** The files of a server by their content. */
const FILES: Readonly<Record<keyof TlsCredentials, string>> = { ca: "ca.crt", cert: "server.crt", key: "server.key" };

/**
 * Reads the authorities, the certificate and the key, and checks that a server can use them.
 *
 * @param certs the certificate directory
 * @throws {StartError} when a file is missing, or a chain has a form that cannot be checked
 * @throws {TlsCredentialsError} when a file cannot be used, or two files do not match
 * @throws {CertificateError} when a file cannot be read, or another user could change it
 */
export async function readCredentials(certs: string): Promise<TlsCredentials> {
  try {
    const credentials = await readServerFiles(certs);
    // The server does not need the authority's key. A key that others can read is still a reason to refuse.
    await authorityKeyIn(certs);
    checkTlsCredentials(credentials);
    const own = judgeServer(credentials);
    if (!own.isTrusted && own.fault === "NOT_JUDGED") throw new StartError(`Cannot use "server.crt": ${own.reason}`);
    return credentials;
  } catch (error) {
    if (error instanceof TlsCredentialsError) {
      const message = `Cannot use "${certs}/${FILES[error.part]}": ${error.message}`;
      throw new TlsCredentialsError(error.part, message, { cause: error });
    }
    if (!(error instanceof CertificateError) || error.code !== "MISSING") throw error;
    throw new StartError(
      `"${error.path ?? certs}" not found: make certificates with certs init, or start with --init-certs`,
    );
  }
}

/** Warns when clients will refuse the server's certificate, although the server can use it. */
export function warnOfServer(credentials: TlsCredentials, log: Logger): void {
  const own = judgeServer(credentials);
  if (own.isTrusted) return;
  const isForeign = own.fault === "UNKNOWN_AUTHORITY" || own.fault === "BAD_SIGNATURE";
  const what = isForeign ? 'is not signed by an authority of "ca.crt"' : "is not accepted";
  log.warn(`"server.crt" ${what}: clients with the same "ca.crt" refuse it: ${own.reason}`, { fault: own.fault });
}

function judgeServer({ cert, ca }: TlsCredentials): TrustedChain | RejectedChain {
  return verifyChain(readChain(cert), readAuthorities(ca), "server");
}

/** Returns the dates of the certificates whose expiry deserves a warning, each with a name that begins a sentence. */
export function namedEnds(credentials: TlsCredentials): NamedDates[] {
  return validityPeriods(credentials).map(({ part, notBefore, notAfter }) => ({
    name: part === "ca" ? "The authority's certificate" : "The server's certificate",
    notBefore,
    notAfter,
  }));
}

/**
 * Reads the list of revoked certificates at the start of the server. Certificates on an earlier list stay revoked.
 *
 * @param ca the authorities that are trusted now, as PEM
 * @throws {CertificateError} when the file is not a valid list of these authorities
 */
export async function readRevokedAtStart(
  certs: string,
  ca: string,
  memory: RevocationMemory,
  log: Logger,
): Promise<ReadonlySet<string>> {
  const list = await readList(certs, ca);
  const { revoked, warn } = remember(list?.keys, ca, memory);
  warn(log);
  warnOfStaleList(list, log);
  return revoked;
}

/**
 * Reads the list of revoked certificates while the server runs, and saves what it revokes for the next start.
 *
 * @returns undefined when there is no list
 * @throws {CertificateError} when the file is not a valid list of these authorities
 */
export async function readRevoked(
  certs: string,
  ca: string,
  memory: RevocationMemory,
  log: Logger,
): Promise<ReadonlySet<string> | undefined> {
  const list = await readList(certs, ca);
  if (list === undefined) return undefined;
  const { revoked, warn } = remember(list.keys, ca, memory);
  // The list takes effect even if it cannot be saved.
  await memory.save().catch((error) =>
    log.error(`Cannot save the revoked certificates for the next start: ${errorMessage(error)}`)
  );
  warn(log);
  warnOfStaleList(list, log);
  return revoked;
}

/** Adds a list to the memory. `warn` warns when the memory now revokes more than the list. */
function remember(
  keys: ReadonlySet<string> | undefined,
  ca: string,
  memory: RevocationMemory,
): { readonly revoked: ReadonlySet<string>; readonly warn: (log: Logger) => void } {
  const before = memory.lacking;
  const revoked = memory.add(keys ?? new Set(), authoritiesOf(ca));
  const { lacking } = memory;
  const warn = (log: Logger) => {
    if (lacking === 0 || lacking === before) return;
    const what = keys === undefined ? '"ca.crl" is missing' : '"ca.crl" is not the latest list';
    const who = lacking === 1
      ? "1 certificate that an earlier list revoked stays"
      : `${lacking} certificates that an ` +
        "earlier list revoked stay";
    log.warn(`${what}: ${who} revoked; restore the latest list`, { certificates: lacking });
  };
  return { revoked, warn };
}

/** A list stays valid after its time. A date in the past means that nobody installs newer lists. */
function warnOfStaleList(list: RevokedCertificates | undefined, log: Logger): void {
  if (list === undefined || list.nextUpdate > new Date()) return;
  const day = list.nextUpdate.toISOString().slice(0, 10);
  log.warn(`"ca.crl" is out of date since ${day} but stays in force: install the newer list`, { next_update: day });
}

function authoritiesOf(ca: string): KnownAuthority[] {
  return readAuthorities(ca).map(({ fingerprint, subject }) => ({ fingerprint, issuer: issuerKey(subject) }));
}
