/**
 * Seals the tokens that clients keep and give back: a place in a list, or in the history of all jobs.
 *
 * Cursors of output have a codec of their own (worker/output/cursor.ts). A cursor is computed for each chunk and says
 * nothing secret, so it is only signed. A token of this file must not show how many jobs there are, so it is encrypted.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** AES-256 in Galois/Counter mode: a token can be neither read nor changed. Source: NIST SP 800-38D. */
const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The longest token that this codec makes is shorter. */
const MAX_TOKEN_CHARS = 200;

/** Seals and opens tokens with one secret. */
export class PageTokenCodec {
  readonly #secret: Uint8Array;

  /** @param secret 32 bytes */
  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /**
   * Seals numbers into a token.
   *
   * @param purpose what the token is for; `open()` needs the same purpose
   */
  seal(numbers: readonly number[], purpose: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#secret, nonce);
    cipher.setAAD(new TextEncoder().encode(purpose));
    const sealed = cipher.update(numbers.join(), "utf8");
    cipher.final();
    return Uint8Array.from([...nonce, ...sealed, ...cipher.getAuthTag()]).toBase64({
      alphabet: "base64url",
      omitPadding: true,
    });
  }

  /** Returns the numbers in a token; undefined when the token was not sealed with this secret for this purpose. */
  open(token: string, purpose: string): number[] | undefined {
    try {
      if (token.length > MAX_TOKEN_CHARS) return undefined;
      const bytes = Uint8Array.fromBase64(token, { alphabet: "base64url" });
      // A shorter token would have a shorter tag, which is easier to guess.
      if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
      const decipher = createDecipheriv(CIPHER, this.#secret, bytes.subarray(0, NONCE_BYTES));
      decipher.setAAD(new TextEncoder().encode(purpose));
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)).toString("utf8");
      decipher.final();
      return text.split(",").map(Number);
    } catch {
      return undefined;
    }
  }
}
