/** Who did what: what is written down of each decision. */
import type { CallContext, PeerCertificate } from "../../proto/service.ts";

/** One decision. Environment values, inputs and outputs are never part of it. */
export interface AuditEntry {
  /** `call`: one call; `handshake`: a connection that TLS refused; `server`: of the server itself. */
  readonly event: "call" | "handshake" | "server";
  /** The certificate's common name, as it stands there: of a refused certificate it proves nothing. */
  readonly user?: string;
  readonly roles?: readonly string[];
  /** SHA-256 of the certificate. */
  readonly fingerprint?: string;
  readonly serial?: string;
  /** The name of what issued the certificate: a serial number alone may be several certificates'. */
  readonly issuer?: string;
  /** Address and port that it came from. */
  readonly peer?: string;
  readonly call?: string;
  readonly job?: string;
  /** Of Register: the command line. */
  readonly command?: string;
  readonly args?: readonly string[];
  readonly template?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** Of Register: which variables were set. */
  readonly env?: readonly string[];
  /** Of Register: the user and group of the server's system that the job is to run as, where it said. */
  readonly runAs?: string;
  readonly runAsGroup?: string;
  /** Of Signal. */
  readonly signal?: string;
  readonly allowed?: boolean;
  /** The rule that allowed it, or why it was denied. */
  readonly rule?: string;
  /** `OK`, or the code that the call failed with. */
  readonly code?: string;
  /** Of the server: what happened. */
  readonly text?: string;
}

/** Where decisions are written down. */
export interface Audit {
  /**
   * Writes a decision down; returns at once.
   *
   * @param options.soon false: others may come first, to be written together. Default true
   */
  record(entry: AuditEntry, options?: { readonly soon?: boolean }): void;
  /**
   * Resolves when decisions can be written down: nothing is changed that cannot be.
   *
   * @throws {NotRecordedError} when they cannot
   */
  ready(): Promise<void>;
}

/** A command line longer than this is cut in the record, which would else have lines of megabytes. */
const MAX_ARGS_CHARS = 16_384;

/** An id has 36 characters; names have fewer than this. */
const MAX_TEXT_CHARS = 100;

/** As templates bound the values of their parameters. More parameters than this no template has. */
const MAX_PARAMETER_CHARS = 1024;
const MAX_PARAMETERS = 32;

/** One for each connection, however many calls come over it. */
const holders = new WeakMap<PeerCertificate, Partial<AuditEntry>>();

/** What a certificate says of its holder. */
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

/** What a call's context says of the caller. */
export function callerOf({ certificate, peer }: CallContext): Partial<AuditEntry> {
  return { ...holderOf(certificate), peer };
}

/** A command line for the record: whole, or cut where it is too long, which the last word says. */
export function argsForRecord(args: readonly string[]): readonly string[] {
  return cut(args, "more arguments");
}

/** Of an environment its variables' names, as with a command line. */
export function namesForRecord(env: Readonly<Record<string, string>>): readonly string[] {
  return cut(Object.keys(env), "more variables");
}

/** Parameters of a template for the record; those that are too long are refused, and then not needed whole. */
export function parametersForRecord(parameters: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const shown = Object.entries(parameters).slice(0, MAX_PARAMETERS);
  return Object.fromEntries(shown.map(([name, value]) => [textForRecord(name), value.slice(0, MAX_PARAMETER_CHARS)]));
}

/** A word of the caller's for the record, such as a name; of one that is none enough is kept to see what it is. */
export function textForRecord(text: string): string {
  return text.slice(0, MAX_TEXT_CHARS);
}

function cut(words: readonly string[], what: string): readonly string[] {
  const kept: string[] = [];
  let chars = 0;
  for (const word of words) {
    // An empty one takes room too.
    chars += word.length + 1;
    if (chars > MAX_ARGS_CHARS) return [...kept, `… ${words.length - kept.length} ${what}`];
    kept.push(word);
  }
  return kept;
}
