/**
 * The authority of a gateway for its node hosts. It signs the certificate of the gateway's own listener and one certificate
 * for each job. It has nothing to do with the authority of the users.
 */
import { join } from "node:path";
import { type Authority, createAuthority, readAuthority } from "../../certs/authority.ts";
import { createCertificate, type KeyPair } from "../../certs/certificate.ts";
import { writePairs } from "../../certs/directory.ts";
import { CertificateError } from "../../certs/errors.ts";
import { GATEWAY_NAME } from "./gateway_name.ts";

const DAY_MS = 86_400_000;
/** A node's clock may be slow. */
const EARLY_MS = DAY_MS;
const AUTHORITY_MS = 3_650 * DAY_MS;

/** Returns the authority in a data directory. Makes it when there is none. */
export async function nodeAuthority(data: string): Promise<Authority> {
  const directory = join(data, "nodes");
  try {
    return await readAuthority(directory);
  } catch (error) {
    if (!(error instanceof CertificateError) || error.code !== "MISSING") throw error;
  }
  const authority = await createAuthority(validity(AUTHORITY_MS));
  await writePairs(directory, { ca: authority }, { replace: false });
  return authority;
}

/** Makes the certificate of the gateway's listener. */
export async function gatewayCertificate(issuer: Authority): Promise<KeyPair> {
  return await createCertificate({
    usage: "server",
    commonName: "teleport gateway",
    hosts: [GATEWAY_NAME],
    validity: { ...validity(0), notAfter: issuer.notAfter },
    issuer,
  });
}

/** Makes the certificate of one job. It is of no use once the job has ended, so it lasts as long as the authority. */
export async function jobCertificate(issuer: Authority, id: string): Promise<KeyPair> {
  return await createCertificate({
    usage: "client",
    commonName: id,
    organizations: ["node"],
    validity: { ...validity(0), notAfter: issuer.notAfter },
    issuer,
  });
}

function validity(ms: number) {
  const now = Date.now();
  return { notBefore: new Date(now - EARLY_MS), notAfter: new Date(now + ms) };
}
