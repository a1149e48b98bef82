/** `teleport whoami`: prints who this command line is to the server, from its certificate; asks no server. */
import { X509Certificate } from "node:crypto";
import { CredentialsError, readCertificate } from "../config.ts";
import type { LocalContext } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { printable } from "../printable.ts";
import { labelled } from "../status_text.ts";

/** Shows the identity. */
export async function whoami({ config, print }: LocalContext): Promise<number> {
  const certificate = parse(await readCertificate(config), `${config.certsDir}/${config.identity}.crt`);
  const subject = certificate.toLegacyObject().subject as { CN?: string | string[]; O?: string | string[] };
  const expiresAt = certificate.validToDate;
  const me = {
    identity: config.identity,
    user: [subject.CN ?? []].flat().join(", "),
    roles: [subject.O ?? []].flat(),
    expires_at: expiresAt.toISOString().replace(".000Z", "Z"),
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    address: config.address,
  };
  if (print.json) {
    await print.record(me);
  } else {
    const expired = expiresAt.getTime() <= Date.now();
    const rows: [string, string][] = [
      ["Identity", me.identity],
      ["User", printable(me.user)],
      ["Roles", printable(me.roles.join(", "))],
      ["Expires", expired ? print.styled("red", `${me.expires_at} (expired)`) : me.expires_at],
      ["Fingerprint", me.fingerprint],
      ["Address", me.address],
    ];
    await print.line(labelled(rows).join("\n"));
  }
  return EXIT_CODE.OK;
}

function parse(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new CredentialsError(`Cannot read "${path}": it is no certificate in PEM: make one with certs.ts`, { cause });
  }
}
