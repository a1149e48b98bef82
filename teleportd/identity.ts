/** What a server is known by and whom it believes, read from its files: certificates, revoked ones, policy. */
import { CertificateError } from "../certs/errors.ts";
import { readRevokedSerials, readServerFiles } from "../certs/server_files.ts";
import { checkCredentials, type Credentials, endsOf } from "../rpc/credentials.ts";
import type { ServerIdentity } from "../service/keep_current.ts";
import { DEFAULT_POLICY } from "../service/policy_default.ts";
import { parsePolicy, type PolicyText } from "../service/policy_file.ts";
import { StartError } from "./start_error.ts";

/**
 * Reads all that a server is known by.
 *
 * @throws {Error} a sentence for the user when something is missing, broken or does not fit together
 */
export async function readIdentity(certs: string, policyPath: string | undefined): Promise<ServerIdentity> {
  const credentials = await readCredentials(certs);
  const list = await readRevokedSerials(certs, credentials.ca);
  return { credentials, revoked: list?.serials ?? new Set(), policy: await readPolicy(policyPath) };
}

/** Reads authority, certificate and key, and sees that they can be served with. */
export async function readCredentials(certs: string): Promise<Credentials> {
  try {
    const credentials = await readServerFiles(certs);
    checkCredentials(credentials);
    return credentials;
  } catch (error) {
    if (!(error instanceof CertificateError) || error.code !== "MISSING") throw error;
    const [path = ""] = /^"[^"]*"/.exec(error.message) ?? [];
    throw new StartError(`${path} not found: make certificates with certs init, or start with --init-certs`);
  }
}

/** Reads a policy file; without one the three roles hold. */
export async function readPolicy(path: string | undefined): Promise<PolicyText> {
  if (path === undefined) return { text: "", policy: DEFAULT_POLICY };
  const text = await Deno.readTextFile(path).catch((error) => {
    throw new StartError(`Policy file "${path}" cannot be read: ${error instanceof Error ? error.message : error}`);
  });
  return { text, policy: parsePolicy(text) };
}

/** The certificates whose end is worth a warning, as a person calls them. */
export function namedEnds(credentials: Credentials) {
  return endsOf(credentials).map(({ part, notAfter }) => ({
    name: part === "ca" ? "the authority's certificate" : "the server's certificate",
    notAfter,
  }));
}
