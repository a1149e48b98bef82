/** Reads a bundle from a file or the standard input, and checks that its parts fit together. */
import { errorMessage } from "../../base/error_message.ts";
import { failureReason } from "../../base/errno.ts";
import { joinBytes } from "../../base/join_bytes.ts";
import { JsonFormError, readFields, readString } from "../../text/strict_json.ts";
import { type Bundle, BUNDLE_VERSION, MAX_BUNDLE_BYTES } from "../../trust/bundle.ts";
import { checkSecret, checkWriters } from "../../trust/file_access.ts";
import { UsageError } from "../../units/usage_error.ts";
import { checkAddress, checkIdentity } from "../config.ts";
import type { InputFile } from "../io.ts";
import { SettingsError } from "./settings_error.ts";
import { readToml } from "./toml.ts";

/** The name of the standard input. */
const STDIN = "-";

const ADVICE = 'make one with "certs bundle NAME FILE" on the machine of the authority';

/**
 * Reads a bundle and checks its parts: the form of each, the key to the certificate, the certificate by the authority,
 * and the dates.
 *
 * @param path the file, or `-` for the standard input
 * @throws {SettingsError} when it cannot be read or used, or other users can read or change the file
 */
export async function readBundle(path: string, stdin: InputFile): Promise<Bundle> {
  const name = path === STDIN ? "the standard input" : path;
  const text = path === STDIN ? await readStdin(stdin) : await readFile(path);
  const bundle = readToml(name, text, bundleOf);
  await checkParts(bundle, name);
  return bundle;
}

async function readFile(path: string): Promise<string> {
  try {
    // A device or a pipe has no size, and no owner to check.
    const { isFile } = await Deno.stat(path);
    if (!isFile) throw new SettingsError(`Cannot use "${path}": it is not a file; give a file, or "-" and redirect it`);
    // The key of a user is in it, and ssh(1) refuses such a file too.
    checkWriters(path);
    checkSecret(path, { isBehindDirectories: true });
    using file = await Deno.open(path);
    return decode(path, await readBounded(path, file));
  } catch (cause) {
    if (cause instanceof SettingsError) throw cause;
    if (cause instanceof Error && cause.name === "FileAccessError") throw new SettingsError(cause.message, { cause });
    throw new SettingsError(`Cannot read "${path}": ${failureReason(cause)}`, { cause });
  }
}

async function readStdin(stdin: InputFile): Promise<string> {
  return decode("the standard input", await readBounded("the standard input", stdin));
}

async function readBounded(name: string, file: InputFile): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(65_536);
  let total = 0;
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    parts.push(buffer.slice(0, count));
    total += count;
    if (total > MAX_BUNDLE_BYTES) {
      throw new SettingsError(`Cannot use "${name}": it has more than ${MAX_BUNDLE_BYTES} bytes; ${ADVICE}`);
    }
  }
  return joinBytes(parts);
}

function decode(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new SettingsError(`Cannot use "${name}": it is not a text in UTF-8; ${ADVICE}`);
  }
}

function bundleOf(values: unknown): Bundle {
  const { version } = values as Record<string, unknown>;
  // Before the fields, because another version has other fields.
  if (version !== BUNDLE_VERSION) {
    const found = version === undefined ? "it has no version, so it is not a bundle" : `it has version ${version}`;
    throw new JsonFormError("", `${found}, and this program reads version ${BUNDLE_VERSION}: ${ADVICE}`);
  }
  const required = { version: true, address: true, identity: true, authority: true, certificate: true, key: true };
  const fields = readFields(values, "", required);
  const text = (field: Exclude<keyof typeof required, "version">) => readString(fields[field], field);
  try {
    return {
      address: checkAddress(text("address")),
      identity: checkIdentity(text("identity")),
      authority: text("authority"),
      certificate: text("certificate"),
      key: text("key"),
    };
  } catch (cause) {
    if (cause instanceof UsageError) throw new JsonFormError("", errorMessage(cause), { cause });
    throw cause;
  }
}

async function checkParts({ authority: ca, certificate: cert, key }: Bundle, name: string): Promise<void> {
  // Only here, because no other command needs them before it connects.
  const { checkTlsCredentials, readAuthorities, readChain } = await import("../../rpc/shared/tls_credentials.ts");
  const { verifyChain } = await import("../../trust/chain.ts");
  try {
    checkTlsCredentials({ ca, cert, key });
  } catch (cause) {
    throw new SettingsError(`Cannot use "${name}": ${errorMessage(cause)}`, { cause });
  }
  const verdict = verifyChain(readChain(cert), readAuthorities(ca), "client");
  if (!verdict.isTrusted) throw new SettingsError(`Cannot use "${name}": ${verdict.reason}; ${ADVICE}`);
}
