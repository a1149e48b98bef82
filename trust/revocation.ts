/** How a revoked certificate is known: by who issued it and its serial number, as serial numbers alone are anybody's. */
import { createHash } from "node:crypto";
import { canonicalSerial } from "./certificate.ts";
import type { Name } from "./name.ts";

/** What an issuer is known by in lists of revoked certificates: SHA-256 of its name, lower-case hexadecimal. */
export function issuerKey({ id }: Pick<Name, "id">): string {
  return createHash("sha256").update(id).digest("hex");
}

/** What a revoked certificate is known by: the key of its issuer, a colon, and its serial number. */
export function revocationKey(issuer: Pick<Name, "id">, serialNumber: string): string {
  return `${issuerKey(issuer)}:${canonicalSerial(serialNumber)}`;
}
