/** `teleport whoami`: prints who this command line is: by its certificate, and to the server where that can be asked. */
import type { WhoAmIResponse } from "../../proto/teleport/v1/job_worker.ts";
import { type Certificate, readCertificate as readDer } from "../../trust/certificate.ts";
import { expiryWarning, warningMs } from "../../trust/expiry.ts";
import { certificatesDer } from "../../trust/pem.ts";
import { connectAs, CredentialsError, readAuthorities, readCertificate } from "../config.ts";
import type { LocalContext } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import { labelled } from "../print/status_text.ts";

/** What a server that answers at all answers within. */
const ASK_MS = 5_000;

/** Shows the identity. */
export async function whoami(context: LocalContext): Promise<number> {
  const { config, print } = context;
  const certificate = parse(await readCertificate(config), `${config.certsDir}/${config.identity}.crt`);
  const authorities = await readAuthorities(config).then(certificatesOf, () => []);
  const me = {
    identity: config.identity,
    user: certificate.subject.commonNames.join(", "),
    roles: certificate.subject.organizations,
    expires_at: instant(certificate.notAfter),
    fingerprint: certificate.fingerprint,
    address: config.address,
    ...(authorities.length === 0
      ? {}
      : { authorities_expire_at: authorities.map(({ notAfter }) => instant(notAfter)) }),
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
      ["User", escapeTerminal(me.user)],
      ["Roles", escapeTerminal(me.roles.join(", "))],
      ["Expires", expiry()],
      ["Fingerprint", me.fingerprint],
      ["Address", me.address],
      ...(typeof server === "string" ? [] : serverRows(server)),
    ];
    await print.line(labelled(rows).join("\n"));
    if (typeof server === "string") await print.note(`The server does not say who you are to it: ${server}`);
  }
  // To stderr, for JSON too: it concerns whoever runs this, and every user of the authority.
  for (const authority of authorities) {
    const warning = expiryWarning(authority);
    if (warning === undefined) continue;
    const name = authority.subject.text.slice(0, 200);
    await print.note(`The authority "${name}" ${warning}: ask for a new ca.crt, then for a new certificate`);
  }
  return EXIT_CODE.OK;

  function expiry(): string {
    const leftMs = certificate.notAfter.getTime() - Date.now();
    if (leftMs <= 0) return print.styled("red", `${me.expires_at} (expired)`);
    if (leftMs >= warningMs(certificate)) return me.expires_at;
    const days = Math.floor(leftMs / 86_400_000);
    return print.styled("yellow", `${me.expires_at} (in ${days} days: ask for a new certificate)`);
  }
}

function instant(time: Date): string {
  return time.toISOString().replace(".000Z", "Z");
}

/** Who the server takes the caller for, or why it does not say. */
async function askServer({ config, io }: LocalContext): Promise<WhoAmIResponse | string> {
  try {
    await using connection = await connectAs(io, config);
    return await connection.calls.WhoAmI({}, { deadlineMs: ASK_MS });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function serverRows({ known_roles, rules }: WhoAmIResponse): [string, string][] {
  return [
    ["Known roles", known_roles.map(escapeTerminal).join(", ") || "none"],
    ...rules.map((rule, index): [string, string] => [index === 0 ? "Rules" : "", escapeTerminal(rule)]),
  ];
}

function certificatesOf(pem: string): Certificate[] {
  return certificatesDer(pem).map((der) => readDer(der));
}

function parse(pem: string, path: string): Certificate {
  try {
    const [own] = certificatesOf(pem);
    if (own !== undefined) return own;
    throw new Error("there is no such block in it");
  } catch (cause) {
    throw new CredentialsError(`Cannot read "${path}": it is no certificate in PEM: make one with certs.ts`, { cause });
  }
}
