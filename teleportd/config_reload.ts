/** Reloads certificates, revoked certificates and policy of a running server when their files change. */
import type { Logger } from "../base/logger.ts";
import type { TlsCredentials } from "../rpc/shared/tls_credentials.ts";
import type { PolicyText } from "../service/policy/file.ts";
import { FileChanges } from "./file_changes.ts";
import type { ReloadableConfig } from "./reloadable_config.ts";
import { ReloadableValue } from "./reloadable_value.ts";

/** Where the values come from, and how they take effect. */
export interface ConfigReloadOptions {
  /** The values that are in force already. */
  readonly config: ReloadableConfig;
  /** The directories that hold the files. */
  readonly directories: readonly string[];
  /** Reads the credentials. Rejects when they cannot be used. */
  readonly readCredentials: () => Promise<TlsCredentials>;
  /** Reads the list of revoked certificates. Resolves to undefined when there is no list. */
  readonly readRevoked: (ca: string) => Promise<ReadonlySet<string> | undefined>;
  /** Reads the policy. Rejects when it cannot be used. */
  readonly readPolicy: () => Promise<PolicyText>;
  /** Applies new credentials or a new list. Throws when they cannot be used. */
  readonly setCredentials: (config: Pick<ReloadableConfig, "credentials" | "revoked">) => void;
  readonly setPolicy: (policy: PolicyText) => void;
  /** Receives each reload and each failure. */
  readonly log: Logger;
}

/**
 * Reloads on every change until the result is disposed of. The result's `nudge()` reloads at once, for example on SIGHUP.
 */
export function reloadOnChange(options: ConfigReloadOptions): FileChanges {
  const { config, setCredentials, log } = options;
  const credentials: ReloadableValue<TlsCredentials> = new ReloadableValue(
    {
      name: "certificates",
      read: options.readCredentials,
      apply: (value) => setCredentials({ credentials: value, revoked: revoked.value }),
      equals: (one, other) => one.ca === other.ca && one.cert === other.cert && one.key === other.key,
    },
    config.credentials,
    log,
  );
  const revoked: ReloadableValue<ReadonlySet<string>> = new ReloadableValue(
    {
      name: "list of revoked certificates",
      read: async () => {
        const list = await options.readRevoked(credentials.value.ca);
        // Removing the list must not let revoked certificates in again.
        if (list === undefined && revoked.value.size > 0) throw new Error('"ca.crl" is missing: restore it');
        return list ?? new Set();
      },
      apply: (value) => setCredentials({ credentials: credentials.value, revoked: value }),
      equals: (one, other) => one.symmetricDifference(other).size === 0,
    },
    config.revoked,
    log,
  );
  const policy = new ReloadableValue<PolicyText>(
    {
      name: "policy",
      read: options.readPolicy,
      apply: options.setPolicy,
      equals: (one, other) => one.text === other.text,
    },
    config.policy,
    log,
  );
  const changes = new FileChanges({
    directories: options.directories,
    onChange: async () => {
      // The authorities come first, because one of them has signed the list.
      await credentials.reload();
      await revoked.reload();
      await policy.reload();
    },
    onUnwatched: (directory) =>
      log.warn(`Cannot watch "${directory}" for changes: send SIGHUP when its files have changed`, { directory }),
  });
  // The files may have changed after the start had read them and before the watch began.
  void changes.nudge();
  return changes;
}
