/** Tokens that clients keep and give back: a place in a list or in the history of all jobs, sealed. */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** AES-256 in Galois/Counter mode: what is sealed can be neither read nor changed. Source: NIST SP 800-38D */
const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Longer ones are none of ours. */
const MAX_TOKEN_CHARS = 200;

/** Seals and opens tokens with one secret. */
export class PageTokenCodec {
  readonly #secret: Uint8Array;

  /** @param secret 32 bytes */
  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** @param purpose what it is for; only for the same purpose it can be opened */
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

  /** The numbers in a token; undefined when this one never sealed it for that purpose. */
  open(token: string, purpose: string): number[] | undefined {
    try {
      if (token.length > MAX_TOKEN_CHARS) return undefined;
      const bytes = Uint8Array.fromBase64(token, { alphabet: "base64url" });
      // A shorter one would have a shorter tag, which is easier to guess.
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
