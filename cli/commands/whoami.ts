/** `teleport whoami`: prints the user's identity from the certificate, and the server's answer if it can be reached. */
import { errorMessage } from "../../base/error_message.ts";
import type { Command } from "commander";
import type { WhoAmIResponse } from "../../proto/teleport/v1/job_worker.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import { type Certificate, readCertificate as readDer } from "../../trust/certificate.ts";
import { expiryWarning, warningMs } from "../../trust/expiry.ts";
import { certificatesDer } from "../../trust/pem.ts";
import type { Declare } from "../command.ts";
import { CertificateFilesError, connectAs, readAuthorities, readCertificate } from "../certificate_files.ts";
import type { Setting } from "../config.ts";
import type { LocalContext } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import type { Print } from "../print/print.ts";
import { formatRows } from "../print/status_text.ts";

interface WhoamiFlags {
  readonly verbose?: true;
}

export const declare: Declare = (command, runner) => {
  command.option("-v, --verbose", "also print each value of the configuration and where it came from")
    .action(async (flags: WhoamiFlags, self: Command) => {
      await runner.local(self, (context) => whoami(context, flags));
    });
};

/** The deadline of the call, in milliseconds. The command is useful without an answer. */
const ASK_MS = 5_000;

async function whoami(context: LocalContext, { verbose }: WhoamiFlags): Promise<number> {
  const { config, print } = context;
  const certificate = parse(await readCertificate(config), `${config.certsDir}/${config.identity}.crt`);
  const authorities = await readAuthorities(config).then(certificatesOf, () => []);
  const me = {
    identity: config.identity,
    user: certificate.subject.commonNames.join(", "),
    roles: certificate.subject.organizations,
    expires_at: rfc3339(certificate.notAfter),
    fingerprint: certificate.fingerprint,
    address: config.address,
    ...(verbose ? { context: context.server?.name ?? null, settings: settingsJson(context) } : {}),
    ...(authorities.length === 0
      ? {}
      : { authorities_expire_at: authorities.map(({ notAfter }) => rfc3339(notAfter)) }),
  };
  const server = await askServer(context);
  if (print.isJson) {
    await print.jsonLine({
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
      ["Expires", expiryText(print, certificate)],
      ["Fingerprint", me.fingerprint],
      ["Address", me.address],
      ...(verbose ? settingRows(context) : []),
      ...(typeof server === "string" ? [] : serverRows(server)),
    ];
    await print.line(formatRows(rows).join("\n"));
    if (typeof server === "string") await print.note(`Cannot ask the server for your roles and rules: ${server}`);
  }
  await printAuthorityWarnings(print, authorities);
  return EXIT_CODE.OK;
}

function settingRows({ server, settings: { address, certsDir, identity } }: LocalContext): [string, string][] {
  const from = ({ value, source }: Setting) => `${escapeTerminal(value)} (from ${source})`;
  return [
    ["Context", server === undefined ? "none" : `${server.name} (from ${server.source})`],
    ["--address", from(address)],
    ["--certs", from(certsDir)],
    ["--identity", from(identity)],
  ];
}

function settingsJson({ settings: { address, certsDir, identity } }: LocalContext): Record<string, Setting> {
  return { address, certs: certsDir, identity };
}

/** Prints to stderr, also with JSON, because the warning concerns every user of the authority. */
async function printAuthorityWarnings(print: Print, authorities: readonly Certificate[]): Promise<void> {
  for (const authority of authorities) {
    const warning = expiryWarning(authority);
    if (warning === undefined) continue;
    const name = authority.subject.text.slice(0, 200);
    await print.note(`The authority "${name}" ${warning}: ask for a new ca.crt, then for a new certificate`);
  }
}

function expiryText(print: Print, certificate: Certificate): string {
  const text = rfc3339(certificate.notAfter);
  const leftMs = certificate.notAfter.getTime() - Date.now();
  if (leftMs <= 0) return print.styled("red", `${text} (expired)`);
  if (leftMs >= warningMs(certificate)) return text;
  const days = Math.floor(leftMs / 86_400_000);
  return print.styled("yellow", `${text} (in ${days} days: ask for a new certificate)`);
}

function rfc3339(time: Date): string {
  return time.toISOString().replace(".000Z", "Z");
}

/** Returns the server's answer, or why there is none. */
async function askServer({ config, io }: LocalContext): Promise<WhoAmIResponse | string> {
  try {
    await using connection = await connectAs(io, config);
    return await connection.calls.WhoAmI({}, { deadlineMs: ASK_MS });
  } catch (error) {
    return errorMessage(error);
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
    throw new Error("The file has no CERTIFICATE block");
  } catch (cause) {
    const advice = "make a client certificate with certs.ts";
    throw new CertificateFilesError(`Cannot read "${path}": the file is not a certificate in PEM: ${advice}`, {
      cause,
    });
  }
}
