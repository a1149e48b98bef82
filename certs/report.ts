/** Formats certificates: as text for people, and as JSON for programs. */
import type { ListedCertificate } from "./list.ts";
import type { IssuedCertificate } from "./issued_certificate.ts";
import { defined } from "../base/defined.ts";
import { formatColumns } from "../text/columns.ts";

/** Formats a new certificate. */
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

/** Returns the JSON fields of a new certificate. */
export function issuedJson(issued: IssuedCertificate): Record<string, unknown> {
  const { usage, name, certificatePath, keyPath, hosts, roles, notAfter } = issued;
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

/** Formats a table of certificates, and their warnings. */
export function listText(listed: readonly ListedCertificate[]): string {
  const rows = [["NAME", "USE", "STANDING", "UNTIL", "KEY", "ROLES OR HOSTS", "SERIAL"]];
  for (const { name, standing, hasKey, details } of listed) {
    rows.push([
      name,
      details === undefined ? "-" : useOf(details),
      standing,
      details === undefined ? "-" : day(details.notAfter),
      hasKey ? "yes" : "-",
      details === undefined ? "-" : escapeInvisible([...details.organizations, ...details.hosts].join(", ")) || "-",
      details?.serialNumber ?? "-",
    ]);
  }
  const table = formatColumns(rows);
  const warnings = listed.flatMap(({ name, warning }) => warning === undefined ? [] : [`"${name}" ${warning}`]);
  return [table, ...(warnings.length === 0 ? [] : ["", ...warnings])].join("\n");
}

/** Formats all contents of a certificate. */
export function showText({ path, standing, hasKey, details, warning }: ListedCertificate): string {
  if (details === undefined) return `${path}: not a certificate`;
  const rows: [string, string][] = [
    ["File", path],
    ["Use", useOf(details)],
    ["Subject", escapeInvisible(details.commonNames.join(", "))],
    ["Roles", escapeInvisible(details.organizations.join(", ")) || "-"],
    ["Hosts", escapeInvisible(details.hosts.join(", ")) || "-"],
    ["Standing", warning === undefined ? standing : `${standing}: ${warning}`],
    ["From", instant(details.notBefore)],
    ["Until", instant(details.notAfter)],
    ["Key", `${details.keyAlgorithm}${hasKey ? ", in the directory" : ""}`],
    ["Serial", details.serialNumber],
    ["SHA-256", details.fingerprint],
  ];
  return formatColumns(rows);
}

/** Returns the JSON fields of a listed certificate. */
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

/** Escapes control characters, which a certificate of another tool can have. */
function escapeInvisible(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`);
}

function day(time: Date): string {
  return time.toISOString().slice(0, 10);
}

function instant(time: Date): string {
  return time.toISOString().replace(".000Z", "Z");
}
