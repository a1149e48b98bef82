/** Makes certificates of every kind in memory, valid and invalid ones, for the tests of the wire. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import type { TlsCredentials } from "../../rpc/client/client.ts";
import { readCertificate } from "../../trust/certificate.ts";
import { revocationKey } from "../../trust/revocation.ts";

/** A certificate with its key, which can sign others. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
  readonly keys: CryptoKeyPair;
  readonly certificate: x509.X509Certificate;
}

/** The contents of a certificate. */
export interface Wanted {
  /** The attributes in their order, such as `[["O", "admin"], ["CN", "ann"]]`. */
  readonly subject: readonly (readonly [string, string])[];
  readonly usage: "ca" | "server" | "client";
  /** The only purpose of the certificates that an authority signs. Absent for any purpose. */
  readonly purpose?: "server" | "client";
  readonly hosts?: readonly string[];
  /** The start of the validity in days from now. */
  readonly from?: number;
  readonly until?: number;
  readonly serialNumber?: string;
  /** The issuer. Absent for a certificate that signs itself. */
  readonly issuer?: Issued;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;

export async function issue(wanted: Wanted): Promise<Issued> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as CryptoKeyPair;
  const subject = new x509.Name(wanted.subject.map(([type, value]) => ({ [type]: [{ utf8String: value }] })))
    .toString();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: wanted.serialNumber ?? crypto.randomUUID().replaceAll("-", "").replace(/^./, "1"),
    subject: new x509.Name(wanted.subject.map(([type, value]) => ({ [type]: [{ utf8String: value }] }))),
    issuer: wanted.issuer?.certificate.subjectName ?? subject,
    notBefore: new Date(Date.now() + (wanted.from ?? -1) * DAY_MS),
    notAfter: new Date(Date.now() + (wanted.until ?? 1) * DAY_MS),
    publicKey: keys.publicKey,
    signingKey: (wanted.issuer?.keys ?? keys).privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      ...extensions(wanted),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create((wanted.issuer?.keys ?? keys).publicKey),
    ],
  });
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  return { cert: certificate.toString("pem"), key, keys, certificate };
}

function extensions({ usage, hosts = [], purpose }: Wanted): x509.Extension[] {
  if (usage === "ca") {
    return [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
      ...(purpose === undefined ? [] : [purposeExtension(purpose)]),
    ];
  }
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    purposeExtension(usage),
    ...(hosts.length === 0 ? [] : [
      new x509.SubjectAlternativeNameExtension(
        hosts.map((value) => ({ type: /^[\d.]+$|:/.test(value) ? "ip" as const : "dns" as const, value })),
      ),
    ]),
  ];
}

function purposeExtension(purpose: "server" | "client"): x509.Extension {
  return new x509.ExtendedKeyUsageExtension([
    x509.ExtendedKeyUsage[purpose === "server" ? "serverAuth" : "clientAuth"],
  ]);
}

/** Gives the entry of a certificate in a list of revoked ones. */
export function revocationOf({ certificate }: Issued): string {
  const { issuer, serialNumber } = readCertificate(new Uint8Array(certificate.rawData));
  return revocationKey(issuer, serialNumber);
}

/** Gives the files of one side: its own certificate and the authority that it trusts. */
export function credentials(ca: Issued, own: Issued): TlsCredentials {
  return { ca: ca.cert, cert: own.cert, key: own.key };
}

const LOCAL_HOSTS = ["localhost", "127.0.0.1", "::1"];

export const ca = await issue({ subject: [["CN", "an authority"]], usage: "ca" });
export const otherCa = await issue({ subject: [["CN", "another authority"]], usage: "ca" });
export const serverCertificate = await issue({
  subject: [["CN", "server"]],
  usage: "server",
  hosts: LOCAL_HOSTS,
  issuer: ca,
});
export const clientCertificate = await issue({
  subject: [["O", "admin"], ["O", "viewer"], ["CN", "ann"]],
  usage: "client",
  issuer: ca,
});

/** The files of a valid server and of a valid client. */
export const serverCredentials = credentials(ca, serverCertificate);
export const clientCredentials = credentials(ca, clientCertificate);
