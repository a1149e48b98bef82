/** `teleport whoami`: prints who this command line is: by its certificate, and to the server where that can be asked. */
import { X509Certificate } from "node:crypto";
import type { WhoAmIResponse } from "../../proto/teleport/v1/job_worker.ts";
import { CredentialsError, readCertificate, readCredentials } from "../config.ts";
import type { LocalContext } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { printable } from "../printable.ts";
import { labelled } from "../status_text.ts";

/** What a server that answers at all answers within. */
const ASK_MS = 5_000;

/** From so long before its end a certificate is told to end: time enough to ask for a new one. */
const WARNING_MS = 30 * 86_400_000;

/** Shows the identity. */
export async function whoami(context: LocalContext): Promise<number> {
  const { config, print } = context;
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
  const server = await askServer(context);
  if (print.json) {
    await print.record({
      ...me,
      ...(typeof server === "string"
        ? { server_error: server }
        : { known_roles: server.known_roles, rules: server.rules }),
    });
  } else {
    const rows: [string, string][] = [
      ["Identity", me.identity],
      ["User", printable(me.user)],
      ["Roles", printable(me.roles.join(", "))],
      ["Expires", expiry()],
      ["Fingerprint", me.fingerprint],
      ["Address", me.address],
      ...(typeof server === "string" ? [] : serverRows(server)),
    ];
    await print.line(labelled(rows).join("\n"));
    if (typeof server === "string") await print.note(`The server does not say who you are to it: ${server}`);
  }
  return EXIT_CODE.OK;

  function expiry(): string {
    const leftMs = expiresAt.getTime() - Date.now();
    if (leftMs <= 0) return print.styled("red", `${me.expires_at} (expired)`);
    if (leftMs >= WARNING_MS) return me.expires_at;
    const days = Math.floor(leftMs / 86_400_000);
    return print.styled("yellow", `${me.expires_at} (in ${days} days: ask for a new certificate)`);
  }
}

/** Who the server takes the caller for, or why it does not say. */
async function askServer({ config, io }: LocalContext): Promise<WhoAmIResponse | string> {
  try {
    const credentials = await readCredentials(config);
    await using connection = await io.connect({ address: config.address, credentials });
    return await connection.calls.WhoAmI({}, { deadlineMs: ASK_MS });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function serverRows({ known_roles, rules }: WhoAmIResponse): [string, string][] {
  return [
    ["Known roles", known_roles.map(printable).join(", ") || "none"],
    ...rules.map((rule, index): [string, string] => [index === 0 ? "Rules" : "", printable(rule)]),
  ];
}

function parse(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new CredentialsError(`Cannot read "${path}": it is no certificate in PEM: make one with certs.ts`, { cause });
  }
}
