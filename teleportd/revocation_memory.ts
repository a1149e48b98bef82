/**
 * What was revoked once, remembered beside the jobs: a list that is lost, or older than one that was in force, must let
 * nobody in again.
 */
import { StartError } from "./start_error.ts";

/** As many as ten full lists have; a file with more was not written here. */
const MAX_SERIALS = 1_000_000;

/** Serial numbers have at most 40 digits (RFC 5280, section 4.1.2.2). */
const MAX_FILE_BYTES = MAX_SERIALS * 48;

/** Serial numbers that were on a list, and the authorities whose they are. */
export class RevocationMemory {
  readonly #path: string;
  #authorities: readonly string[];
  #serials: ReadonlySet<string>;
  /** What the file holds. */
  #written: string;
  #lacking = 0;

  private constructor(path: string, written: string, authorities: readonly string[], serials: ReadonlySet<string>) {
    this.#path = path;
    this.#written = written;
    this.#authorities = authorities;
    this.#serials = serials;
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
      if (error instanceof Deno.errors.NotFound) return new RevocationMemory(path, "", [], new Set());
      throw new StartError(`"${path}" cannot be read: ${error instanceof Error ? error.message : error}`);
    }
    const read = parse(text);
    if (read !== undefined) return new RevocationMemory(path, text, read.authorities, new Set(read.serials));
    throw new StartError(
      `"${path}" is damaged, which says whom to keep out: restore it, or remove it once "ca.crl" names all who are revoked`,
    );
  }

  /** How many the last list did not name that are remembered. */
  get lacking(): number {
    return this.#lacking;
  }

  /**
   * The serial numbers of a list, and all that were on one before; nobody is taken off.
   *
   * @param authorities SHA-256 of the authorities that are believed now. Where none of them was before, what they know
   * nothing of is forgotten: their serial numbers are others
   */
  add(serials: ReadonlySet<string>, authorities: readonly string[]): ReadonlySet<string> {
    const known = authorities.some((authority) => this.#authorities.includes(authority));
    this.#authorities = authorities;
    this.#serials = known ? this.#serials.union(serials) : serials;
    this.#lacking = this.#serials.size - serials.size;
    return this.#serials;
  }

  /**
   * Writes down what is not yet, in one step, and with the disk before it resolves.
   *
   * @throws {Error} when it cannot be written
   */
  async save(): Promise<void> {
    if (this.#written === "" && this.#serials.size === 0) return;
    const text = `${JSON.stringify({ authorities: this.#authorities, serials: [...this.#serials] })}\n`;
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

function parse(text: string): { readonly authorities: string[]; readonly serials: string[] } | undefined {
  try {
    const { authorities, serials } = JSON.parse(text);
    const are = (list: unknown, form: RegExp, most: number) =>
      Array.isArray(list) && list.length <= most && list.every((one) => typeof one === "string" && form.test(one));
    if (!are(authorities, /^[0-9a-f]{64}$/, 16) || !are(serials, /^([0-9A-F]{2}){1,20}$/, MAX_SERIALS)) {
      return undefined;
    }
    return { authorities, serials };
  } catch {
    return undefined;
  }
}
