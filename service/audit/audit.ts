/** The entries of the audit log: who did what, and what was decided. */
import type { CallContext, PeerCertificate } from "../../proto/service.ts";

/** One decision. It never contains values of variables, inputs or outputs. */
export interface AuditEntry {
  /** `call`: a call. `handshake`: a connection that TLS refused. `server`: an event of the server itself. */
  readonly event: "call" | "handshake" | "server";
  /** The certificate's common name. In a refused certificate it proves nothing. */
  readonly user?: string;
  readonly roles?: readonly string[];
  /** The SHA-256 digest of the certificate. */
  readonly fingerprint?: string;
  readonly serial?: string;
  /** The name of the certificate's issuer. Certificates of two issuers can have one serial number. */
  readonly issuer?: string;
  /** The address and the port of the caller. */
  readonly peer?: string;
  readonly call?: string;
  readonly job?: string;
  /** The command of Register. */
  readonly command?: string;
  readonly args?: readonly string[];
  readonly template?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** The names of the variables of Register. */
  readonly env?: readonly string[];
  /** The system user of the job, if Register names one. */
  readonly runAs?: string;
  /** The system group of the job, if Register names one. */
  readonly runAsGroup?: string;
  /** The job whose directory and environment Register takes. */
  readonly like?: string;
  /** The job that Register repeats. */
  readonly rerunOf?: string;
  /** The size of the job's terminal, such as `80x24`, if Register gives it one. */
  readonly terminal?: string;
  /** The signal of Signal. */
  readonly signal?: string;
  readonly allowed?: boolean;
  /** The rule that allowed the call, or the reason of the denial. */
  readonly rule?: string;
  /** `OK`, or the error code of the call. */
  readonly code?: string;
  /** The event of the server, or further details. */
  readonly text?: string;
}

/** A receiver of audit entries. */
export interface Audit {
  /**
   * Records an entry. Returns at once.
   *
   * @param options.soon false when the entry may wait to be written together with others. Default true
   */
  record(entry: AuditEntry, options?: { readonly soon?: boolean }): void;
  /**
   * Resolves when entries can be recorded. A call that changes something waits for this first.
   *
   * @throws {NotRecordedError} when they cannot
   */
  ready(): Promise<void>;
}

/** The callers by their certificates, one for each connection. */
const holders = new WeakMap<PeerCertificate, Partial<AuditEntry>>();

/** Returns the fields of an entry that come from a certificate. */
export function holderOf(certificate: PeerCertificate | undefined): Partial<AuditEntry> {
  if (certificate === undefined) return {};
  let holder = holders.get(certificate);
  if (holder === undefined) {
    const { commonNames, organizations, fingerprint, serialNumber, issuer } = certificate;
    holder = {
      user: commonNames.join(", ").slice(0, 256),
      roles: organizations.slice(0, 32).map((role) => role.slice(0, 256)),
      fingerprint,
      serial: serialNumber,
      issuer: issuer.slice(0, 256),
    };
    holders.set(certificate, holder);
  }
  return holder;
}

/** Returns the fields of an entry that describe the caller. */
export function callerOf({ certificate, peer }: CallContext): Partial<AuditEntry> {
  return { ...holderOf(certificate), peer };
}
