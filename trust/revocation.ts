/** The keys of revoked certificates: issuer and serial number, because a serial number is unique for one issuer only. */
import { createHash } from "node:crypto";
import { canonicalSerial } from "./certificate.ts";
import type { Name } from "./name.ts";

/** Returns the key of an issuer: the SHA-256 of its name in lower-case hexadecimal. */
export function issuerKey({ id }: Pick<Name, "id">): string {
  return createHash("sha256").update(id).digest("hex");
}

/** Returns the key of a revoked certificate: the key of its issuer, a colon, and its serial number. */
export function revocationKey(issuer: Pick<Name, "id">, serialNumber: string): string {
  return `${issuerKey(issuer)}:${canonicalSerial(serialNumber)}`;
}
