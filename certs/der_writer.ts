/** Encodes the DER (X.690) of revocation lists. */
import { joinBytes } from "../base/join_bytes.ts";

/** Encodes a value with its tag and length. */
export function derValue(tag: number, ...contents: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = contents.reduce((sum, { length }) => sum + length, 0);
  return joinBytes([Uint8Array.of(tag, ...derLength(length)), ...contents]);
}

function derLength(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

/** Encodes a non-negative integer, given in hexadecimal digits. */
export function derInteger(hexadecimal: string): Uint8Array<ArrayBuffer> {
  const digits = hexadecimal.replace(/^0+(?=.)/, "");
  const bytes = Uint8Array.fromHex(digits.length % 2 === 0 ? digits : `0${digits}`);
  // The first bit would be the sign.
  return bytes[0]! >= 0x80 ? derValue(0x02, new Uint8Array([0]), bytes) : derValue(0x02, bytes);
}

/** Encodes an object identifier, given in dotted form. */
export function derOid(dotted: string): Uint8Array<ArrayBuffer> {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((number) => {
    const digits = [number % 128];
    for (let left = Math.floor(number / 128); left > 0; left = Math.floor(left / 128)) {
      digits.unshift(left % 128 | 0x80);
    }
    return digits;
  });
  return derValue(0x06, new Uint8Array(bytes));
}

/** Encodes a time (RFC 5280, section 5.1.2.4): with a two-digit year up to 2049. */
export function derTime(time: Date): Uint8Array<ArrayBuffer> {
  const text = `${time.toISOString().slice(0, 19).replace(/[-:T]/g, "")}Z`;
  const isShort = time.getUTCFullYear() < 2050;
  return derValue(isShort ? 0x17 : 0x18, new TextEncoder().encode(isShort ? text.slice(2) : text));
}

/** Encodes an extension of a certificate or list. */
export function derExtension(oid: string, isCritical: boolean, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const critical = isCritical ? [derValue(0x01, new Uint8Array([0xff]))] : [];
  return derValue(0x30, derOid(oid), ...critical, derValue(0x04, value));
}
