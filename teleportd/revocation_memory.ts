/**
 * What was revoked once, remembered beside the jobs: a list that is lost, or older than one that was in force, must let
 * nobody in again.
 */
import { createHash } from "node:crypto";
import { canonicalSerial, MAX_SERIAL_BYTES } from "../trust/certificate.ts";
import { StartError } from "./start_error.ts";

/** As many as ten full lists have; a file with more was not written here. */
const MAX_SERIALS = 1_000_000;

/** Serial numbers have at most 40 digits (RFC 5280, section 4.1.2.2), with few exceptions. */
const MAX_FILE_BYTES = MAX_SERIALS * 48;

/** An authority that is believed now. */
export interface KnownAuthority {
  /** SHA-256 of its certificate, lower-case hexadecimal. */
  readonly fingerprint: string;
  /** What it is known by in lists, see `issuerKey`. */
  readonly issuer: string;
}

/** What an older version wrote: serial numbers without the one who gave them, and the authorities of that time. */
interface OldMemory {
  readonly authorities: readonly string[];
  readonly serials: readonly string[];
}

/** Certificates that were on a list, by issuer and serial number. */
export class RevocationMemory {
  readonly #path: string;
  /** Each as `revocationKey` writes it. */
  #keys: ReadonlySet<string>;
  /** What an older version wrote, until one of its authorities is seen again. */
  #old: OldMemory | undefined;
  /** What the file holds. */
  #written: string;
  #lacking = 0;

  private constructor(path: string, written: string, keys: ReadonlySet<string>, old?: OldMemory) {
    this.#path = path;
    this.#written = written;
    this.#keys = keys;
    this.#old = old;
  }

  /**
   * Reads what an earlier server remembered; nothing where there is no such file.
   *
   * @throws {StartError} when the file cannot be read or is damaged: whom it kept out is then not known
   */
  static async open(path: string): Promise<RevocationMemory> {
    let text: string;
    try {
      const { size } = await Deno.stat(path);
      if (size > MAX_FILE_BYTES) throw new Error(`it has ${size} bytes`);
      text = await Deno.readTextFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return new RevocationMemory(path, "", new Set());
      throw new StartError(`"${path}" cannot be read: ${error instanceof Error ? error.message : error}`);
    }
    const read = parse(text);
    if (read !== undefined) return new RevocationMemory(path, text, read.keys, read.old);
    throw new StartError(
      `"${path}" is damaged, which says whom to keep out: restore it, or remove it once "ca.crl" names all who are revoked`,
    );
  }

  /** How many certificates of the authorities that are believed the last list did not name, though an earlier one did. */
  get lacking(): number {
    return this.#lacking;
  }

  /**
   * The certificates of a list, and all that were on one before; nobody is taken off.
   *
   * @param keys what the list has, each as `revocationKey` writes it
   * @param authorities those that are believed now
   */
  add(keys: ReadonlySet<string>, authorities: readonly KnownAuthority[]): ReadonlySet<string> {
    this.#keys = this.#keys.union(keys).union(this.#migrated(authorities));
    const issuers = new Set(authorities.map(({ issuer }) => issuer));
    const serials = new Set([...keys].map((key) => splitKey(key).serial));
    // What was taken over from an older version is there for each authority, and listed for one.
    this.#lacking = [...this.#keys.difference(keys)].map(splitKey)
      .filter(({ issuer, serial }) => issuers.has(issuer) && !serials.has(serial)).length;
    return this.#keys;
  }

  /**
   * What an older version remembered, as certificates of each authority that is believed now: it did not write down whose
   * they were, and nobody must be let in again by an update. Where none of its authorities is believed, it waits.
   */
  #migrated(authorities: readonly KnownAuthority[]): ReadonlySet<string> {
    const old = this.#old;
    if (old === undefined || !authorities.some(({ fingerprint }) => old.authorities.includes(fingerprint))) {
      return new Set();
    }
    this.#old = undefined;
    return new Set(
      authorities.flatMap(({ issuer }) => old.serials.map((serial) => `${issuer}:${canonicalSerial(serial)}`)),
    );
  }

  /**
   * Writes down what is not yet, in one step, and with the disk before it resolves.
   *
   * @throws {Error} when it cannot be written
   */
  async save(): Promise<void> {
    if (this.#written === "" && this.#keys.size === 0) return;
    const body = { version: VERSION, revoked: grouped(this.#keys), ...this.#old };
    const text = `${JSON.stringify({ ...body, sha256: digestOf(body) })}\n`;
    if (text === this.#written) return;
    const temporary = `${this.#path}.new`;
    {
      using file = await Deno.open(temporary, { write: true, create: true, truncate: true, mode: 0o600 });
      let rest = new TextEncoder().encode(text);
      while (rest.length > 0) rest = rest.subarray(await file.write(rest));
      await file.sync();
    }
    await Deno.rename(temporary, this.#path);
    this.#written = text;
  }
}

/** Of the form of the file. The first had no number. */
const VERSION = 2;

function splitKey(key: string): { readonly issuer: string; readonly serial: string } {
  const [issuer = "", serial = ""] = key.split(":");
  return { issuer, serial };
}

/** Serial numbers by issuer. */
function grouped(keys: ReadonlySet<string>): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const { issuer, serial } of [...keys].map(splitKey)) (groups[issuer] ??= []).push(serial);
  return groups;
}

/** Without it, a damaged serial number would be another one, and let a revoked certificate in. */
function digestOf(body: object): string {
  return createHash("sha256").update(JSON.stringify(body)).digest("hex");
}

const ISSUER = /^[0-9a-f]{64}$/;
/** As lists may have them: what is written must be read again. */
const SERIAL = new RegExp(`^([0-9A-F]{2}){1,${MAX_SERIAL_BYTES}}$`);

function parse(text: string): { readonly keys: ReadonlySet<string>; readonly old?: OldMemory } | undefined {
  try {
    const { sha256, ...body } = JSON.parse(text);
    // Files of older versions have none.
    if (sha256 !== undefined && sha256 !== digestOf(body)) return undefined;
    const { version, revoked, authorities, serials } = body;
    if (version !== VERSION && version !== undefined) return undefined;
    const hasOld = version === undefined || serials !== undefined;
    if (hasOld && (!areAll(authorities, ISSUER, 16) || !areAll(serials, SERIAL, MAX_SERIALS))) return undefined;
    const old = hasOld ? { old: { authorities, serials } } : {};
    if (version === undefined) return { keys: new Set(), ...old };
    const groups = Object.entries(revoked as Record<string, unknown>);
    if (!groups.every(([issuer, list]) => ISSUER.test(issuer) && areAll(list, SERIAL, MAX_SERIALS))) return undefined;
    const keys = groups.flatMap(([issuer, list]) => (list as string[]).map((serial) => `${issuer}:${serial}`));
    return { keys: new Set(keys), ...old };
  } catch {
    return undefined;
  }
}

function areAll(list: unknown, form: RegExp, most: number): list is string[] {
  return Array.isArray(list) && list.length <= most && list.every((one) => typeof one === "string" && form.test(one));
}
