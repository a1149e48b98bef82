/**
 * Keeps callers from pushing history out of the audit record: of what one caller is denied, or only reads, so much is
 * written in full, and the rest is counted in a line. What changes something is always written in full.
 */
import type { Audit, AuditEntry } from "./audit.ts";
import { defined } from "../../base/defined.ts";

/** How many lines are written in full. */
interface Rate {
  /** At once. */
  readonly burst: number;
  readonly perMinute: number;
}

type Kind = "handshake" | "denied" | "read";

/**
 * Of each caller. With lines of 400 bytes, a day of one caller's denied calls is 12 MB, of reads 170 MB, where the record
 * keeps 1 GB. The burst is more than a program does by mistake, or a person in a day.
 */
const RATES: Readonly<Record<Kind, Rate>> = {
  // Nobody can be told apart here, for nothing is proved: all strangers share this.
  handshake: { burst: 50, perMinute: 600 },
  denied: { burst: 60, perMinute: 20 },
  read: { burst: 10_000, perMinute: 300 },
};

/** Of all callers together: who has many certificates gets no further. A day of it is 170 MB and 350 MB. */
const SHARED_RATES: Readonly<Record<Exclude<Kind, "handshake">, Rate>> = {
  denied: { burst: 600, perMinute: 300 },
  read: { burst: 30_000, perMinute: 600 },
};

/** Callers that are told apart. Further ones share what is left. */
const MAX_CALLERS = 1_000;

/** What was not written in full is counted in the record this often. */
const SUMMARY_MS = 60_000;

/** Jobs that a summary names, of those whose output was read: 20 ids are 750 bytes a minute. */
const MAX_NAMED_JOBS = 20;

/** A bucket of lines that fills with time. */
class Allowance {
  readonly #rate: Rate;
  #lines: number;
  #atMs: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#lines = rate.burst;
    this.#atMs = nowMs;
  }

  /** True when it has a line. */
  has(nowMs: number): boolean {
    this.#lines = Math.min(this.#rate.burst, this.#lines + (nowMs - this.#atMs) / 60_000 * this.#rate.perMinute);
    this.#atMs = nowMs;
    return this.#lines >= 1;
  }

  take(): void {
    this.#lines -= 1;
  }

  /** True when the caller might as well be a new one. */
  isFull(nowMs: number): boolean {
    this.has(nowMs);
    return this.#lines === this.#rate.burst;
  }
}

/** One caller's lines of one kind. */
interface Account {
  readonly kind: Kind;
  /** True when it is of several callers: a summary names none of them. */
  readonly isShared: boolean;
  readonly allowance: Allowance;
  /** Not written since the last line. */
  unwritten: number;
  /** The first of those. */
  first: AuditEntry | undefined;
  /** Jobs whose output was read by calls that are not written, since the last summary. */
  readonly outputOf: Set<string>;
  /** One of those calls. */
  reader: AuditEntry | undefined;
}

/** An audit record in front of which callers are limited. To be disposed of before the record, with what it counted. */
export class LimitedAudit implements Audit, Disposable {
  readonly #audit: Audit;
  readonly #nowMs: () => number;
  readonly #accounts = new Map<string, Account>();
  readonly #shared: Readonly<Record<Exclude<Kind, "handshake">, Allowance>>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Lines that were counted and not written in full, since the start. */
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
    const text = `${account.unwritten} more since the line before are not written down`;
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

  /** Makes room: who has done nothing for a while is as good as new. */
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
    const text = `${unwritten} more ${what} since the line before are not written down${jobs}`;
    this.#audit.record({ event, ...caller, ...defined({ allowed }), text }, { soon: false });
  }

  /** Writes down what was counted. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#summarize();
  }
}

/** Keeps whose output was read: nobody may hide that behind many other calls. */
function noteOutput(account: Account, entry: AuditEntry): void {
  const { call, job } = entry;
  if (account.kind !== "read" || call !== "GetOutput" || job === undefined) return;
  account.reader ??= entry;
  // One beyond those that are named says that there are more.
  if (account.outputOf.size <= MAX_NAMED_JOBS) account.outputOf.add(job);
}

/** The end of a summary's text. */
function namedJobs(ids: ReadonlySet<string>): string {
  if (ids.size === 0) return "";
  const named = [...ids].slice(0, MAX_NAMED_JOBS).join(", ");
  return `; such calls read the output of ${named}${ids.size > MAX_NAMED_JOBS ? " and others" : ""}`;
}

/** What is limited; undefined: always written in full. */
function kindOf(entry: AuditEntry, options: { readonly soon?: boolean } | undefined): Kind | undefined {
  if (entry.event === "handshake") return "handshake";
  if (entry.event !== "call") return undefined;
  if (entry.allowed === false) return "denied";
  // As service/audit/audited.ts says of calls that change nothing.
  return options?.soon === false ? "read" : undefined;
}
