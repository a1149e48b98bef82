/** The certificate directory on disk: its file names, and files that appear whole or not at all. */
import type { KeyPair } from "./certificate.ts";
import { CertificateError } from "./errors.ts";

/** Only its owner may look into the directory, read a key, or write anything; certificates are public. */
const DIRECTORY_MODE = 0o700;
const KEY_MODE = 0o600;
const CERTIFICATE_MODE = 0o644;

/** A certificate with every host and role allowed here has 8 KiB; a file beyond this is none. */
const MAX_FILE_BYTES = 256 * 1024;

/** As many bytes as a list of 100,000 revoked certificates has, and then some. */
export const MAX_LIST_BYTES = 16 * 1024 * 1024;

/** A certificate, and its key where that is at hand. */
export type PartialPair = Pick<KeyPair, "certificate"> & Partial<KeyPair>;

/** The path of a certificate: `ca`, `server` or a user's. */
export function certificatePath(dir: string, name: string): string {
  return `${dir}/${name}.crt`;
}

/** The path of the key that belongs to it. */
export function keyPath(dir: string, name: string): string {
  return `${dir}/${name}.key`;
}

/** The path of the list of revoked certificates. */
export function revocationsPath(dir: string): string {
  return `${dir}/ca.crl`;
}

/** The names of all certificates and keys in a directory, sorted. Empty when there is no such directory. */
export async function listFiles(dir: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(dir)) {
      if (/^[^.].*\.(crt|key)$/.test(name)) names.push(name);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    if (error instanceof Deno.errors.NotADirectory) {
      throw new CertificateError("NOT_ACCESSIBLE", `"${dir}" is a file: give a directory`, { cause: error });
    }
    throw notAccessible("read", dir, error);
  }
  return names.sort();
}

/**
 * Reads a certificate or key.
 *
 * @throws {CertificateError} `MISSING`, `UNUSABLE` when too large, or `NOT_ACCESSIBLE`.
 */
export async function readPemFile(path: string, maxBytes: number = MAX_FILE_BYTES): Promise<string> {
  try {
    const { size } = await Deno.stat(path);
    if (size > maxBytes) {
      throw new CertificateError("UNUSABLE", `"${path}" has "${size}" bytes, too many for what it should be`);
    }
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof CertificateError) throw error;
    if (error instanceof Deno.errors.NotFound) {
      throw new CertificateError("MISSING", `"${path}" is missing: give a directory that has it, or make it`, { path });
    }
    throw notAccessible("read", path, error);
  }
}

/**
 * Writes pairs into a directory, made if need be, so that either all of their files are there or nothing has changed. They
 * are first written elsewhere, with the mode they will have, so nobody sees half a file or a key that others can read.
 *
 * @param pairs By name. The key of the first one is placed first: of two that make the same pairs, one wins all.
 * @param options.replace Replace what is there. Without it, that is refused.
 *
 * @throws {CertificateError} `ALREADY_EXISTS` or `NOT_ACCESSIBLE`.
 */
export async function writePairs(
  dir: string,
  pairs: Readonly<Record<string, PartialPair>>,
  options: { readonly replace: boolean },
): Promise<void> {
  try {
    await place(dir, pairs, options.replace);
  } catch (error) {
    throw error instanceof CertificateError ? error : notAccessible("write to", dir, error);
  }
}

/**
 * Puts a file that holds nothing secret in place of what is there, whole or not at all.
 *
 * @throws {CertificateError} `NOT_ACCESSIBLE`.
 */
export async function replacePublicFile(dir: string, name: string, text: string): Promise<void> {
  try {
    await placeFiles(dir, [{ name, text, mode: CERTIFICATE_MODE }], true);
  } catch (error) {
    throw notAccessible("write to", dir, error);
  }
}

/** Runs an action while nobody else changes what the authority of a directory has signed. */
export async function withLock<T>(dir: string, action: () => Promise<T>): Promise<T> {
  let directory: Deno.FsFile;
  try {
    // The directory itself: of a file that is replaced there would be two.
    directory = await Deno.open(dir, { read: true });
  } catch (error) {
    // Whoever reads the authority says better what is missing.
    if (error instanceof Deno.errors.NotFound) return await action();
    throw notAccessible("read", dir, error);
  }
  using locked = directory;
  await locked.lock(true);
  return await action();
}

/** A file to be written. */
interface NewFile {
  readonly name: string;
  readonly text: string;
  readonly mode: number;
}

async function place(dir: string, pairs: Readonly<Record<string, PartialPair>>, replace: boolean): Promise<void> {
  const files = Object.entries(pairs).flatMap(([name, { certificate, key }]): NewFile[] => [
    ...(key === undefined ? [] : [{ name: `${name}.key`, text: key, mode: KEY_MODE }]),
    { name: `${name}.crt`, text: certificate, mode: CERTIFICATE_MODE },
  ]);
  await placeFiles(dir, files, replace);
}

async function placeFiles(dir: string, files: readonly NewFile[], replace: boolean): Promise<void> {
  await using rollback = new AsyncDisposableStack();
  // A step back that fails must not hide why it had to be taken.
  const undoBy = (step: () => Promise<void>) => rollback.defer(() => step().catch(() => {}));

  if (await makeDirectory(dir)) undoBy(() => Deno.remove(dir));
  // Within the directory: the same file system, so that a file can be moved, and private to its owner.
  const staging = await Deno.makeTempDir({ dir, prefix: ".making-" });
  undoBy(() => Deno.remove(staging, { recursive: true }));

  for (const { name, text, mode } of files) await writeNewFile(`${staging}/${name}`, text, mode);
  for (const { name } of files) undoBy(await (replace ? replaceFile : addFile)(staging, dir, name));

  await Deno.remove(staging, { recursive: true });
  rollback.move();
}

/** Returns true when the directory was not there before. */
async function makeDirectory(dir: string): Promise<boolean> {
  try {
    await Deno.stat(dir);
    return false;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await Deno.mkdir(dir, { recursive: true, mode: DIRECTORY_MODE });
    return true;
  }
}

async function writeNewFile(path: string, text: string, mode: number): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true, mode });
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(await file.write(rest));
  // Before it gets its name: after a power cut there is no certificate or a whole one.
  await file.sync();
}

/** Puts a file in place by a second link: unlike a rename, that fails when something is there, even since a moment ago. */
async function addFile(staging: string, dir: string, name: string): Promise<() => Promise<void>> {
  const target = `${dir}/${name}`;
  try {
    await Deno.link(`${staging}/${name}`, target);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw alreadyExists(dir, [name]);
    throw error;
  }
  return () => Deno.remove(target);
}

async function replaceFile(staging: string, dir: string, name: string): Promise<() => Promise<void>> {
  const target = `${dir}/${name}`;
  const backup = `${staging}/${name}.old`;
  try {
    await Deno.link(target, backup);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return await addFile(staging, dir, name);
    throw error;
  }
  await Deno.rename(`${staging}/${name}`, target);
  return () => Deno.rename(backup, target);
}

/** The refusal to touch what is there. */
export function alreadyExists(dir: string, names: readonly string[]): CertificateError {
  const [first, ...others] = names;
  const what = others.length === 0 ? `"${first}"` : `"${first}" and ${others.length} more`;
  return new CertificateError(
    "ALREADY_EXISTS",
    `"${dir}" already holds ${what}, nothing was changed: replace a server's or user's with --force, ` +
      "or give another directory to start over",
  );
}

function notAccessible(action: string, path: string, cause: unknown): CertificateError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const advice = cause instanceof Deno.errors.PermissionDenied ? ", check its permissions" : "";
  return new CertificateError("NOT_ACCESSIBLE", `Cannot ${action} "${path}"${advice}: ${reason}`, { cause });
}
