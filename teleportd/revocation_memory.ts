/**
 * Stores every certificate that a list has revoked, in the data directory. A lost list, or an older one, must not let
 * anybody in again.
 */
import { failureReason } from "../base/errno.ts";
import { createHash } from "node:crypto";
import { canonicalSerial, MAX_SERIAL_BYTES } from "../trust/certificate.ts";
import { StartError } from "./start_error.ts";

/** The most serial numbers of a file: ten full lists. */
const MAX_SERIALS = 1_000_000;

/** Serial numbers have at most 40 digits (RFC 5280, section 4.1.2.2), with few exceptions. */
const MAX_FILE_BYTES = MAX_SERIALS * 48;

/** An authority that is trusted now. */
export interface KnownAuthority {
  /** SHA-256 of its certificate, lower-case hexadecimal. */
  readonly fingerprint: string;
  /** Its name in lists, as `issuerKey` writes it. */
  readonly issuer: string;
}

/** The file of an older version: serial numbers without their issuers, and the authorities of that time. */
interface OldMemory {
  readonly authorities: readonly string[];
  readonly serials: readonly string[];
}

/** The certificates that were on a list, by issuer and serial number. */
export class RevocationMemory {
  readonly #path: string;
  /** The revoked certificates, each as `revocationKey` writes it. */
  #keys: ReadonlySet<string>;
  /** The contents of an older version, until one of its authorities is trusted again. */
  #old: OldMemory | undefined;
  /** The text of the file. */
  #written: string;
  #lacking = 0;

  private constructor(path: string, written: string, keys: ReadonlySet<string>, old?: OldMemory) {
    this.#path = path;
    this.#written = written;
    this.#keys = keys;
    this.#old = old;
  }

  /**
   * Reads the file of an earlier server. Without a file, nothing was revoked.
   *
   * @throws {StartError} when the file cannot be read or is damaged
   */
  static async open(path: string): Promise<RevocationMemory> {
    let text: string;
    try {
      const { size } = await Deno.stat(path);
      if (size > MAX_FILE_BYTES) throw new Error(`it has ${size} bytes, more than ${MAX_FILE_BYTES}`);
      text = await Deno.readTextFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return new RevocationMemory(path, "", new Set());
      throw new StartError(`Cannot read "${path}": ${failureReason(error)}`);
    }
    const read = parse(text);
    if (read !== undefined) return new RevocationMemory(path, text, read.keys, read.old);
    throw new StartError(
      `Cannot use "${path}", the list of all revoked certificates: it is damaged; restore it, or remove it once ` +
        `"ca.crl" names every revoked certificate`,
    );
  }

  /** The number of certificates of trusted authorities that an earlier list revoked and the last one did not name. */
  get lacking(): number {
    return this.#lacking;
  }

  /**
   * Adds the certificates of a list. A certificate is never removed.
   *
   * @param keys the certificates of the list, each as `revocationKey` writes it
   * @param authorities the authorities that are trusted now
   * @returns all revoked certificates
   */
  add(keys: ReadonlySet<string>, authorities: readonly KnownAuthority[]): ReadonlySet<string> {
    this.#keys = this.#keys.union(keys).union(this.#migrated(authorities));
    const issuers = new Set(authorities.map(({ issuer }) => issuer));
    const serials = new Set([...keys].map((key) => splitKey(key).serial));
    // A serial number of an older version stands for each authority, and the list names it for one.
    this.#lacking = [...this.#keys.difference(keys)].map(splitKey)
      .filter(({ issuer, serial }) => issuers.has(issuer) && !serials.has(serial)).length;
    return this.#keys;
  }

  /**
   * Returns the certificates of an older version, once one of its authorities is trusted. It did not store the issuers,
   * so each serial number counts for every trusted authority.
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
   * Replaces the file in one step if something has changed. The new file is on the disk when this resolves.
   *
   * @throws {Error} when the file cannot be written
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

/** The version of the file. The first version had no number. */
const VERSION = 2;

function splitKey(key: string): { readonly issuer: string; readonly serial: string } {
  const [issuer = "", serial = ""] = key.split(":");
  return { issuer, serial };
}

/** Groups the serial numbers by issuer. */
function grouped(keys: ReadonlySet<string>): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const { issuer, serial } of [...keys].map(splitKey)) (groups[issuer] ??= []).push(serial);
  return groups;
}

/** Returns the checksum of the file: a damaged serial number would let a revoked certificate in. */
function digestOf(body: object): string {
  return createHash("sha256").update(JSON.stringify(body)).digest("hex");
}

const ISSUER = /^[0-9a-f]{64}$/;
/** The serial numbers that a list may have. */
const SERIAL = new RegExp(`^([0-9A-F]{2}){1,${MAX_SERIAL_BYTES}}$`);

function parse(text: string): { readonly keys: ReadonlySet<string>; readonly old?: OldMemory } | undefined {
  try {
    const { sha256, ...body } = JSON.parse(text);
    // Older versions wrote no checksum.
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
