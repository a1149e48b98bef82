/** The part of the configuration that a running server reloads: certificates, revoked certificates and policy. */
import type { Logger } from "../base/logger.ts";
import type { TlsCredentials } from "../rpc/shared/tls_credentials.ts";
import { DEFAULT_POLICY } from "../service/policy/default.ts";
import type { PolicyText } from "../service/policy/file.ts";
import type { RevocationMemory } from "./revocation_memory.ts";
import { readCredentials, readRevokedAtStart, warnOfServer } from "./server_credentials.ts";
import { readSettings } from "./settings_file.ts";

/** The values that are in force. */
export interface ReloadableConfig {
  readonly credentials: TlsCredentials;
  /** The revoked certificates, each as `revocationKey` writes it. */
  readonly revoked: ReadonlySet<string>;
  readonly policy: PolicyText;
}

/**
 * Reads the values at the start of the server.
 *
 * @param certs the certificate directory
 * @param policyPath the policy file; without one the default policy applies
 * @throws {Error} an error for the administrator when a file is missing or cannot be used
 */
export async function readReloadableConfig(
  certs: string,
  policyPath: string | undefined,
  memory: RevocationMemory,
  log: Logger,
): Promise<ReloadableConfig> {
  const credentials = await readCredentials(certs);
  const revoked = await readRevokedAtStart(certs, credentials.ca, memory, log);
  warnOfServer(credentials, log);
  return { credentials, revoked, policy: await readPolicy(policyPath) };
}

/**
 * Reads a policy file.
 *
 * @param path the file; without one the default policy applies
 * @throws {StartError} when the file cannot be read
 * @throws {PolicyError} when the file is not a valid policy
 */
export async function readPolicy(path: string | undefined): Promise<PolicyText> {
  if (path === undefined) return { text: "", policy: DEFAULT_POLICY };
  const text = await readSettings("policy file", path);
  // Loaded on demand: the engine for patterns takes 13 MB, which a server without a policy file does not need.
  const { parsePolicy } = await import("../service/policy/file.ts");
  return { text, policy: parsePolicy(text) };
}
