/** Certificates for users of the tests' authority, and its lists of revoked certificates. */
import "reflect-metadata";
import { readCertificate } from "../../trust/certificate.ts";
import * as x509 from "@peculiar/x509";
import { createRevocationList } from "../../certs/revocation_lists.ts";
import { ca, issue, type Issued, type Wanted } from "./certificates.ts";

/** Makes a user's certificate, signed by the tests' authority. */
export function user(name: string, role: string, wanted: Partial<Wanted> = {}): Promise<Issued> {
  return issue({ subject: [["O", role], ["CN", name]], usage: "client", issuer: ca, ...wanted });
}

/** Makes the list of revoked certificates of the tests' authority. */
export function listOf(...revoked: Issued[]): Promise<string> {
  return listUntil(ca.certificate.notAfter, ...revoked);
}

/** Makes a list that names the date of the next list. */
export async function listUntil(nextUpdate: Date, ...revoked: Issued[]): Promise<string> {
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", ca.keys.privateKey), "PRIVATE KEY");
  const entries = revoked.map(({ certificate }) => ({
    issuer: readCertificate(new Uint8Array(certificate.rawData)).issuer,
    serialNumber: certificate.serialNumber.toUpperCase(),
    revokedAt: new Date(),
  }));
  const authority = { certificate: ca.cert, key, notAfter: nextUpdate };
  return await createRevocationList(entries, authority, { number: 1, now: new Date() });
}
