/**
 * Limits the entries of one caller, so that no caller can push older entries out of the audit log. Beyond a rate, denied
 * calls and calls that read are only counted. A call that changes something always has an entry of its own.
 */
import type { Audit, AuditEntry } from "./audit.ts";
import { defined } from "../../base/defined.ts";

/** A rate of entries. */
interface Rate {
  /** The number of entries at once. */
  readonly burst: number;
  readonly perMinute: number;
}

type Kind = "handshake" | "denied" | "read";

/**
 * The rates of one caller. With entries of 400 bytes, a day of denied calls is 12 MB and a day of reads is 170 MB. The
 * audit log keeps 1 GB. The burst is more than a program does by mistake, or a person in a day.
 */
const RATES: Readonly<Record<Kind, Rate>> = {
  // All strangers share this rate, because their certificates prove nothing.
  handshake: { burst: 50, perMinute: 600 },
  denied: { burst: 60, perMinute: 20 },
  read: { burst: 10_000, perMinute: 300 },
};

/** The rates of all callers together, against a caller with many certificates. A day of each is 170 MB and 350 MB. */
const SHARED_RATES: Readonly<Record<Exclude<Kind, "handshake">, Rate>> = {
  denied: { burst: 600, perMinute: 300 },
  read: { burst: 30_000, perMinute: 600 },
};

/** The most callers with rates of their own. Further callers share one. */
const MAX_CALLERS = 1_000;

/** The time between two summaries of the counted calls, in milliseconds. */
const SUMMARY_MS = 60_000;

/** The most jobs that a summary names. The ids are 750 bytes a minute. */
const MAX_NAMED_JOBS = 20;

/** A token bucket: entries that may be written, refilled over time. */
class Allowance {
  readonly #rate: Rate;
  #lines: number;
  #atMs: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#lines = rate.burst;
    this.#atMs = nowMs;
  }

  /** Returns whether an entry may be written. */
  has(nowMs: number): boolean {
    this.#lines = Math.min(this.#rate.burst, this.#lines + (nowMs - this.#atMs) / 60_000 * this.#rate.perMinute);
    this.#atMs = nowMs;
    return this.#lines >= 1;
  }

  take(): void {
    this.#lines -= 1;
  }

  /** Returns whether the bucket is full, as for a new caller. */
  isFull(nowMs: number): boolean {
    this.has(nowMs);
    return this.#lines === this.#rate.burst;
  }
}

/** The entries of one caller and one kind. */
interface Account {
  readonly kind: Kind;
  /** True when several callers share the account. A summary then names no caller. */
  readonly isShared: boolean;
  readonly allowance: Allowance;
  /** The number of counted calls since the last entry. */
  unwritten: number;
  /** The first of those calls. */
  first: AuditEntry | undefined;
  /** The jobs whose output was read by counted calls, since the last summary. */
  readonly outputOf: Set<string>;
  /** One of those reading calls. */
  reader: AuditEntry | undefined;
}

/** An audit log with limits for callers. Dispose of it before the audit log: it still writes its counts. */
export class LimitedAudit implements Audit, Disposable {
  readonly #audit: Audit;
  readonly #nowMs: () => number;
  readonly #accounts = new Map<string, Account>();
  readonly #shared: Readonly<Record<Exclude<Kind, "handshake">, Allowance>>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The number of counted calls since the start. */
  unwritten = 0;

  constructor(audit: Audit, nowMs: () => number = () => performance.now()) {
    this.#audit = audit;
    this.#nowMs = nowMs;
    this.#shared = {
      denied: new Allowance(SHARED_RATES.denied, nowMs()),
      read: new Allowance(SHARED_RATES.read, nowMs()),
    };
  }

  record(entry: AuditEntry, options?: { readonly soon?: boolean }): void {
    const kind = kindOf(entry, options);
    if (kind === undefined) return this.#audit.record(entry, options);
    const nowMs = this.#nowMs();
    const account = this.#accountOf(kind, entry, nowMs);
    const shared = kind === "handshake" ? undefined : this.#shared[kind];
    if (!account.allowance.has(nowMs) || shared?.has(nowMs) === false) {
      account.unwritten += 1;
      account.first ??= entry;
      noteOutput(account, entry);
      this.unwritten += 1;
      this.#timer ??= setTimeout(() => this.#summarize(), SUMMARY_MS);
      return;
    }
    account.allowance.take();
    shared?.take();
    if (account.unwritten === 0) return this.#audit.record(entry, options);
    const text = `${account.unwritten} more since the last entry are not recorded`;
    if (entry.text === undefined) this.#audit.record({ ...entry, text }, options);
    else {
      this.#summarizeOne(account);
      this.#audit.record(entry, options);
    }
    account.unwritten = 0;
    account.first = undefined;
  }

  ready(): Promise<void> {
    return this.#audit.ready();
  }

  #accountOf(kind: Kind, { fingerprint }: AuditEntry, nowMs: number): Account {
    const own = kind === "handshake" ? kind : `${kind} ${fingerprint ?? ""}`;
    const known = this.#accounts.get(own);
    if (known !== undefined) return known;
    if (this.#accounts.size >= MAX_CALLERS) this.#forget(nowMs);
    const key = this.#accounts.size >= MAX_CALLERS ? `${kind} others` : own;
    let account = this.#accounts.get(key);
    if (account === undefined) {
      account = {
        kind,
        isShared: kind === "handshake" || key !== own,
        allowance: new Allowance(RATES[kind], nowMs),
        unwritten: 0,
        first: undefined,
        outputOf: new Set(),
        reader: undefined,
      };
      this.#accounts.set(key, account);
    }
    return account;
  }

  /** Forgets callers that have done nothing for a while: their buckets are full. */
  #forget(nowMs: number): void {
    for (const [key, { allowance, unwritten, outputOf }] of this.#accounts) {
      if (unwritten === 0 && outputOf.size === 0 && allowance.isFull(nowMs)) this.#accounts.delete(key);
    }
  }

  #summarize(): void {
    this.#timer = undefined;
    for (const account of this.#accounts.values()) {
      if (account.unwritten === 0 && account.outputOf.size === 0) continue;
      this.#summarizeOne(account, namedJobs(account.outputOf));
      account.unwritten = 0;
      account.first = undefined;
      account.outputOf.clear();
      account.reader = undefined;
    }
  }

  #summarizeOne({ kind, isShared, unwritten, first, reader }: Account, jobs = ""): void {
    const { event = "call", user, roles, fingerprint, serial, issuer, allowed } = first ?? reader ?? {};
    const what = kind === "handshake" ? "refused connections" : kind === "denied" ? "denied calls" : "calls that read";
    const caller = isShared ? {} : {
      ...defined({ user, roles, fingerprint, serial, issuer }),
    };
    const text = `${unwritten} more ${what} since the last entry are not recorded${jobs}`;
    this.#audit.record({ event, ...caller, ...defined({ allowed }), text }, { soon: false });
  }

  /** Records the counts. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#summarize();
  }
}

/** Notes the job whose output was read. Many other calls must not hide that. */
function noteOutput(account: Account, entry: AuditEntry): void {
  const { call, job } = entry;
  if (account.kind !== "read" || call !== "GetOutput" || job === undefined) return;
  account.reader ??= entry;
  // One more id than a summary names shows that others exist.
  if (account.outputOf.size <= MAX_NAMED_JOBS) account.outputOf.add(job);
}

/** Returns the end of a summary's text. */
function namedJobs(ids: ReadonlySet<string>): string {
  if (ids.size === 0) return "";
  const named = [...ids].slice(0, MAX_NAMED_JOBS).join(", ");
  return `; such calls read the output of ${named}${ids.size > MAX_NAMED_JOBS ? " and others" : ""}`;
}

/** Returns the kind of an entry that is limited; undefined for an entry that is always recorded. */
function kindOf(entry: AuditEntry, options: { readonly soon?: boolean } | undefined): Kind | undefined {
  if (entry.event === "handshake") return "handshake";
  if (entry.event !== "call") return undefined;
  if (entry.allowed === false) return "denied";
  // `audited.ts` marks calls that change nothing this way.
  return options?.soon === false ? "read" : undefined;
}
