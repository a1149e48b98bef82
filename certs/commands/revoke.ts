/** `certs revoke`: revokes a certificate. */
import type { Command } from "commander";
import { jsonLine } from "../../text/unprintable.ts";
import { CertificateError } from "../errors.ts";
import { addCommand, type CommonFlags, isJson, readOptionFile } from "../options.ts";
import type { Tool } from "../tool.ts";

interface Flags extends CommonFlags {
  readonly serial?: string;
  readonly issuer?: string;
  readonly cert?: string;
}

const EXAMPLES = `Examples:
  certs revoke ann
  certs revoke --serial 5F0C…

Servers read ca.crl in the directory of ca.crt.
`;

/** Adds the command to the program. */
export function addRevoke(program: Command, tool: Tool): void {
  addCommand(program, "revoke", "revoke a certificate, so that servers refuse it")
    .usage("[OPTIONS] NAME")
    .argument("[NAME]", "a user whose certificate is in the directory")
    .option("--serial <hex>", "the serial number, as list, show and the audit log print it")
    .option("--issuer <name>", "with --serial: the authority that issued it, if ca.crt has several")
    .option("--cert <file>", "the certificate in this file")
    .addHelpText("before", EXAMPLES)
    .action(async (name: string | undefined, flags: Flags) => {
      checkFlags(name, flags);
      const { revoke } = await import("../revoke.ts");
      const result = await revoke({
        dir: tool.directory(flags),
        name,
        serialNumber: flags.serial,
        issuer: flags.issuer,
        certificate: await readOptionFile(flags.cert),
        certificatePath: flags.cert,
      });
      const { issuer, serialNumber, already, count, path } = result;
      if (isJson(flags)) {
        tool.print(jsonLine({ issuer, serial: serialNumber, already, count, path }));
        return;
      }
      const what = `the certificate with serial number ${serialNumber} of "${issuer}"`;
      tool.print(`${already ? "Already revoked" : "Revoked"}: ${what}`);
      tool.print(`  ${path}, with ${count === 1 ? "1 certificate" : `${count} certificates`}`);
      tool.print("Copy ca.crl to every server. Servers load it at once and end the user's streams.");
    });
}

function checkFlags(name: string | undefined, { serial, issuer, cert }: Flags): void {
  if ([name, serial, cert].filter((given) => given !== undefined).length > 1) {
    throw new CertificateError("INVALID_ARGUMENT", "A NAME, --serial and --cert exclude each other: give one of them");
  }
  if (issuer !== undefined && serial === undefined) {
    throw new CertificateError("INVALID_ARGUMENT", "Unexpected --issuer: use it with --serial");
  }
}
