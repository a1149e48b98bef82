/** How the certificate tool tells of certificates: as text for people, as plain data for programs. */
import type { ListedCertificate } from "./list.ts";
import type { IssuedCertificate } from "./issued_certificate.ts";
import { defined } from "../base/defined.ts";

/** What was made, where, and until when. */
export function issuedText(
  { usage, name, certificatePath, keyPath, hosts, roles, notAfter }: IssuedCertificate,
): string {
  const what = usage === "authority"
    ? "the authority"
    : usage === "server"
    ? `the server, reached as ${hosts.join(", ")}`
    : `the user "${name}" with ${roles.length === 1 ? "the role" : "the roles"} ${roles.join(", ")}`;
  const paths = keyPath === undefined ? `  ${certificatePath}` : `  ${certificatePath}\n  ${keyPath}`;
  return `Made a certificate for ${what}, valid until ${day(notAfter)}:\n${paths}`;
}

/** The same for a program. */
export function issuedJson(made: IssuedCertificate): Record<string, unknown> {
  const { usage, name, certificatePath, keyPath, hosts, roles, notAfter } = made;
  return {
    usage,
    name,
    certificate: certificatePath,
    ...defined({ key: keyPath }),
    hosts,
    roles,
    not_after: instant(notAfter),
  };
}

/** A table of certificates. */
export function listText(listed: readonly ListedCertificate[]): string {
  const rows = [["NAME", "USE", "STANDING", "UNTIL", "KEY", "ROLES OR HOSTS", "SERIAL"]];
  for (const { name, standing, hasKey, details } of listed) {
    rows.push([
      name,
      details === undefined ? "-" : useOf(details),
      standing,
      details === undefined ? "-" : day(details.notAfter),
      hasKey ? "yes" : "-",
      details === undefined ? "-" : visible([...details.organizations, ...details.hosts].join(", ")) || "-",
      details?.serialNumber ?? "-",
    ]);
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd());
  const warnings = listed.flatMap(({ name, warning }) => warning === undefined ? [] : [`"${name}" ${warning}`]);
  return [...lines, ...(warnings.length === 0 ? [] : ["", ...warnings])].join("\n");
}

/** All that a certificate says. */
export function showText({ path, standing, hasKey, details, warning }: ListedCertificate): string {
  if (details === undefined) return `${path}: no certificate`;
  const rows: [string, string][] = [
    ["File", path],
    ["Use", useOf(details)],
    ["Subject", visible(details.commonNames.join(", "))],
    ["Roles", visible(details.organizations.join(", ")) || "-"],
    ["Hosts", visible(details.hosts.join(", ")) || "-"],
    ["Standing", warning === undefined ? standing : `${standing}: ${warning}`],
    ["From", instant(details.notBefore)],
    ["Until", instant(details.notAfter)],
    ["Key", `${details.keyAlgorithm}${hasKey ? ", beside it" : ""}`],
    ["Serial", details.serialNumber],
    ["SHA-256", details.fingerprint],
  ];
  return rows.map(([name, value]) => `${name.padEnd(9)} ${value}`).join("\n");
}

/** All that a certificate says, for a program. */
export function listedJson(
  { name, path, standing, hasKey, details, warning }: ListedCertificate,
): Record<string, unknown> {
  return {
    name,
    path,
    standing,
    has_key: hasKey,
    ...defined({ warning }),
    ...(details === undefined ? {} : {
      use: useOf(details),
      common_names: details.commonNames,
      organizations: details.organizations,
      hosts: details.hosts,
      key_algorithm: details.keyAlgorithm,
      serial: details.serialNumber,
      fingerprint: details.fingerprint,
      not_before: instant(details.notBefore),
      not_after: instant(details.notAfter),
    }),
  };
}

function useOf({ isAuthority, usages }: NonNullable<ListedCertificate["details"]>): string {
  return isAuthority ? "authority" : usages.join(", ") || "none";
}

/** A certificate from elsewhere may hold anything, and a terminal obeys control characters. */
function visible(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`);
}

function day(time: Date): string {
  return time.toISOString().slice(0, 10);
}

function instant(time: Date): string {
  return time.toISOString().replace(".000Z", "Z");
}
