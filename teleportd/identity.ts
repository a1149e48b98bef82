/** What a server is known by and whom it believes, read from its files: certificates, revoked ones, policy. */
import { CertificateError } from "../certs/errors.ts";
import {
  authorityKeyIn,
  readRevoked as readList,
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
import type { ServerIdentity } from "./config_reload.ts";
import { DEFAULT_POLICY } from "../service/policy/default.ts";
import type { PolicyText } from "../service/policy/file.ts";
import { type RejectedChain, type TrustedChain, verifyChain } from "../trust/chain.ts";
import { issuerKey } from "../trust/revocation.ts";
import type { KnownAuthority, RevocationMemory } from "./revocation_memory.ts";
import { readSettings } from "./settings_file.ts";
import { StartError } from "./start_error.ts";

/**
 * Reads all that a server is known by.
 *
 * @throws {Error} a sentence for the user when something is missing, broken or does not fit together
 */
export async function readIdentity(
  certs: string,
  policyPath: string | undefined,
  memory: RevocationMemory,
  tell: (line: string) => void,
): Promise<ServerIdentity> {
  const credentials = await readCredentials(certs);
  const list = await readList(certs, credentials.ca);
  const { revoked, warning } = remember(list?.keys, credentials.ca, memory);
  if (warning !== undefined) tell(warning);
  tellStale(list, tell);
  warnOfServer(credentials, tell);
  return { credentials, revoked, policy: await readPolicy(policyPath) };
}

/** Says when clients will refuse the server's certificate, though it can be served with. */
export function warnOfServer(credentials: TlsCredentials, tell: (line: string) => void): void {
  const own = judgeServer(credentials);
  if (own.isTrusted) return;
  const isForeign = own.fault === "UNKNOWN_AUTHORITY" || own.fault === "BAD_SIGNATURE";
  const what = isForeign ? 'is not signed by an authority of "ca.crt"' : "is not accepted";
  tell(`warning: "server.crt" ${what}: clients with the same "ca.crt" refuse it: ${own.reason}`);
}

function judgeServer({ cert, ca }: TlsCredentials): TrustedChain | RejectedChain {
  return verifyChain(readChain(cert), readAuthorities(ca), "server");
}

/**
 * Reads whom the list of revoked certificates keeps out, and remembers them; undefined when there is no list.
 *
 * @throws {CertificateError} when it is no list of these authorities
 */
export async function readRevoked(
  certs: string,
  ca: string,
  memory: RevocationMemory,
  tell: (line: string) => void,
): Promise<ReadonlySet<string> | undefined> {
  const list = await readList(certs, ca);
  if (list === undefined) return undefined;
  const { revoked, warning } = remember(list.keys, ca, memory);
  // Who is kept out now is, whether that can be written down or not.
  await memory.save().catch((error) => tell(`who was revoked cannot be written down for the next start: ${error}`));
  if (warning !== undefined) tell(warning);
  tellStale(list, tell);
  return revoked;
}

/** A list may hold for longer than it says; that it is old says that nobody brings newer ones. */
function tellStale(list: RevokedCertificates | undefined, tell: (line: string) => void): void {
  if (list === undefined || list.nextUpdate > new Date()) return;
  const day = list.nextUpdate.toISOString().slice(0, 10);
  tell(`warning: "ca.crl" was to be followed by a newer list on ${day}: what it says still holds, bring the newer one`);
}

function remember(
  keys: ReadonlySet<string> | undefined,
  ca: string,
  memory: RevocationMemory,
): { readonly revoked: ReadonlySet<string>; readonly warning: string | undefined } {
  const before = memory.lacking;
  const revoked = memory.add(keys ?? new Set(), authoritiesOf(ca));
  const { lacking } = memory;
  const what = `"ca.crl" ${keys === undefined ? "is gone" : "is not the latest"}`;
  const warning = `warning: ${what}: "${lacking}" certificates that one has revoked before stay revoked, restore it`;
  return { revoked, warning: lacking > 0 && lacking !== before ? warning : undefined };
}

function authoritiesOf(ca: string): KnownAuthority[] {
  return readAuthorities(ca).map(({ fingerprint, subject }) => ({ fingerprint, issuer: issuerKey(subject) }));
}

/** The files of a server, by what is in them. */
const FILES: Readonly<Record<keyof TlsCredentials, string>> = { ca: "ca.crt", cert: "server.crt", key: "server.key" };

/** Reads authority, certificate and key, and sees that they can be served with. */
export async function readCredentials(certs: string): Promise<TlsCredentials> {
  try {
    const credentials = await readServerFiles(certs);
    // It need not be here, but who reads or changes it could be anybody.
    await authorityKeyIn(certs);
    checkTlsCredentials(credentials);
    const own = judgeServer(credentials);
    if (!own.isTrusted && own.fault === "NOT_JUDGED") {
      throw new StartError(`"server.crt" cannot be used: ${own.reason}`);
    }
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

/** Reads a policy file; without one the three roles hold. */
export async function readPolicy(path: string | undefined): Promise<PolicyText> {
  if (path === undefined) return { text: "", policy: DEFAULT_POLICY };
  const text = await readSettings("Policy file", path);
  // Only here: the engine for patterns takes 13 MB, which a server without a policy file has better use for.
  const { parsePolicy } = await import("../service/policy/file.ts");
  return { text, policy: parsePolicy(text) };
}

/** The certificates whose end is worth a warning, as a person calls them. */
export function namedEnds(credentials: TlsCredentials) {
  return validityPeriods(credentials).map(({ part, notBefore, notAfter }) => ({
    name: part === "ca" ? "the authority's certificate" : "the server's certificate",
    notBefore,
    notAfter,
  }));
}
