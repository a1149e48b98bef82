/** Keeps a running server's identity current: certificates, revocations and policy are taken up when their files change. */
import { FileChanges } from "./file_changes.ts";
import { ReloadableValue } from "./reloadable_value.ts";
import type { PolicyText } from "../service/policy/file.ts";

/** Certificates and key of a server as text; what is in them is for others to know. */
export interface ServerTexts {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** What a server runs by, as far as it may change while it does. */
export interface ServerIdentity {
  readonly credentials: ServerTexts;
  /** Serial numbers of certificates that are accepted no more. */
  readonly revoked: ReadonlySet<string>;
  readonly policy: PolicyText;
}

/** Where it comes from, and how it comes in force. */
export interface KeepCurrentOptions {
  /** What is in force already. */
  readonly identity: ServerIdentity;
  readonly directories: readonly string[];
  /** Each rejects when what is there cannot be used. */
  readonly readCredentials: () => Promise<ServerTexts>;
  /** Undefined where there is no list. */
  readonly readRevoked: (ca: string) => Promise<ReadonlySet<string> | undefined>;
  readonly readPolicy: () => Promise<PolicyText>;
  /** Serves with these from now on; throws when they cannot be used. */
  readonly renew: (identity: Pick<ServerIdentity, "credentials" | "revoked">) => void;
  readonly setPolicy: (policy: PolicyText) => void;
  /** Told what was taken up, and what was refused and why. */
  readonly say: (line: string) => void;
}

/** Keeps a server current until it is disposed of; the changes it gives back can be nudged, as by SIGHUP. */
export function reloadOnChange(options: KeepCurrentOptions): FileChanges {
  const { identity, renew, say } = options;
  const credentials: ReloadableValue<ServerTexts> = new ReloadableValue(
    {
      name: "certificates",
      read: options.readCredentials,
      apply: (value) => renew({ credentials: value, revoked: revoked.value }),
      equals: (one, other) => one.ca === other.ca && one.cert === other.cert && one.key === other.key,
    },
    identity.credentials,
    say,
  );
  const revoked: ReloadableValue<ReadonlySet<string>> = new ReloadableValue(
    {
      name: "list of revoked certificates",
      read: async () => {
        const list = await options.readRevoked(credentials.value.ca);
        // Whoever takes the list away must not thereby let everybody in again.
        if (list === undefined && revoked.value.size > 0) throw new Error("There is none any more: restore it");
        return list ?? new Set();
      },
      apply: (value) => renew({ credentials: credentials.value, revoked: value }),
      equals: (one, other) => one.symmetricDifference(other).size === 0,
    },
    identity.revoked,
    say,
  );
  const policy = new ReloadableValue<PolicyText>(
    {
      name: "policy",
      read: options.readPolicy,
      apply: options.setPolicy,
      equals: (one, other) => one.text === other.text,
    },
    identity.policy,
    say,
  );
  const changes = new FileChanges({
    directories: options.directories,
    takeUp: async () => {
      // The authorities first: the list is signed by one of them.
      await credentials.refresh();
      await revoked.refresh();
      await policy.refresh();
    },
    onUnwatched: (directory) => say(`"${directory}" cannot be watched: send SIGHUP when its files have changed`),
  });
  // What has changed since it was read, before anybody watched.
  changes.nudge();
  return changes;
}
