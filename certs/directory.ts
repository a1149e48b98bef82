/** The certificate directory: its file names, and atomic writes of its files. */
import { errorMessage } from "../base/error_message.ts";
import type { KeyPair } from "./certificate.ts";
import { CertificateError } from "./errors.ts";

/** Only the owner may list the directory, read keys and write. Certificates are public. */
const DIRECTORY_MODE = 0o700;
const KEY_MODE = 0o600;
const CERTIFICATE_MODE = 0o644;

/** The largest file to read. A certificate with all allowed hosts and roles has 8 KiB. */
const MAX_FILE_BYTES = 256 * 1024;

/** The largest revocation list to read: more than 100,000 certificates. */
export const MAX_LIST_BYTES = 16 * 1024 * 1024;

/** A certificate, and its key if the directory has it. */
export type PartialPair = Pick<KeyPair, "certificate"> & Partial<KeyPair>;

/** Returns the path of a certificate: `ca`, `server` or a user. */
export function certificatePath(dir: string, name: string): string {
  return `${dir}/${name}.crt`;
}

/** Returns the path of a key: `ca`, `server` or a user. */
export function keyPath(dir: string, name: string): string {
  return `${dir}/${name}.key`;
}

/** Returns the path of the revocation list. */
export function revocationsPath(dir: string): string {
  return `${dir}/ca.crl`;
}

/** Returns the names of all certificates and keys, sorted. Empty when the directory does not exist. */
export async function listFiles(dir: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(dir)) {
      if (/^[^.].*\.(crt|key)$/.test(name)) names.push(name);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    if (error instanceof Deno.errors.NotADirectory) {
      throw new CertificateError("NOT_ACCESSIBLE", `Cannot read "${dir}": it is not a directory`, { cause: error });
    }
    throw notAccessible("read", dir, error);
  }
  return names.sort();
}

/**
 * Reads a certificate, a key or a list.
 *
 * @param maxBytes the largest size to accept
 * @throws {CertificateError} `MISSING`, `UNUSABLE` when the file is too large, or `NOT_ACCESSIBLE`
 */
export async function readPemFile(path: string, maxBytes: number = MAX_FILE_BYTES): Promise<string> {
  try {
    const { size } = await Deno.stat(path);
    if (size > maxBytes) {
      throw new CertificateError(
        "UNUSABLE",
        `Cannot use "${path}": it has ${size} bytes, and at most ${maxBytes} are allowed`,
      );
    }
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof CertificateError) throw error;
    if (error instanceof Deno.errors.NotFound) {
      throw new CertificateError(
        "MISSING",
        `Cannot read "${path}": it does not exist; give another directory, or create it with certs`,
        { path },
      );
    }
    throw notAccessible("read", path, error);
  }
}

/**
 * Writes pairs into a directory: all files, or none. Creates the directory when it does not exist. The files are written
 * to a private directory first, with their final mode, so others never see a partial file or a readable key.
 *
 * @param pairs the pairs by name; the key of the first one is written first, so only one of two processes succeeds
 * @param options.replace true to replace existing files
 *
 * @throws {CertificateError} `ALREADY_EXISTS` or `NOT_ACCESSIBLE`
 */
export async function writePairs(
  dir: string,
  pairs: Readonly<Record<string, PartialPair>>,
  options: { readonly replace: boolean },
): Promise<void> {
  try {
    await writePairFiles(dir, pairs, options.replace);
  } catch (error) {
    throw error instanceof CertificateError ? error : notAccessible("write to", dir, error);
  }
}

/**
 * Replaces a file that is not secret, atomically.
 *
 * @throws {CertificateError} `NOT_ACCESSIBLE`
 */
export async function replacePublicFile(dir: string, name: string, text: string): Promise<void> {
  try {
    await writeFiles(dir, [{ name, text, mode: CERTIFICATE_MODE }], true);
  } catch (error) {
    throw notAccessible("write to", dir, error);
  }
}

/** Runs an action while no other process changes the authority or the revocation list. */
export async function withLock<T>(dir: string, action: () => Promise<T>): Promise<T> {
  let directory: Deno.FsFile;
  try {
    // Locks the directory, because replacing a locked file would leave a second, unlocked one.
    directory = await Deno.open(dir, { read: true });
  } catch (error) {
    // The action reports what is missing.
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

async function writePairFiles(
  dir: string,
  pairs: Readonly<Record<string, PartialPair>>,
  replace: boolean,
): Promise<void> {
  const files = Object.entries(pairs).flatMap(([name, { certificate, key }]): NewFile[] => [
    ...(key === undefined ? [] : [{ name: `${name}.key`, text: key, mode: KEY_MODE }]),
    { name: `${name}.crt`, text: certificate, mode: CERTIFICATE_MODE },
  ]);
  await writeFiles(dir, files, replace);
}

async function writeFiles(dir: string, files: readonly NewFile[], replace: boolean): Promise<void> {
  await using rollback = new AsyncDisposableStack();
  // A failed rollback must not hide its cause.
  const addRollback = (step: () => Promise<void>) => rollback.defer(() => step().catch(() => {}));

  if (await makeDirectory(dir)) addRollback(() => Deno.remove(dir));
  // Inside the directory, so that files can be moved within one file system.
  const staging = await Deno.makeTempDir({ dir, prefix: ".making-" });
  addRollback(() => Deno.remove(staging, { recursive: true }));

  for (const { name, text, mode } of files) await writeFile(`${staging}/${name}`, text, mode);
  for (const { name } of files) addRollback(await (replace ? replaceFile : addFile)(staging, dir, name));

  await Deno.remove(staging, { recursive: true });
  rollback.move();
}

/** Creates the directory. Returns false when it existed. */
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

async function writeFile(path: string, text: string, mode: number): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true, mode });
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(await file.write(rest));
  // Before the file gets its name, so that a power failure leaves no partial file.
  await file.sync();
}

/** Moves a file by a hard link, which fails when the target exists. A rename would replace it. */
async function addFile(staging: string, dir: string, name: string): Promise<() => Promise<void>> {
  const target = `${dir}/${name}`;
  try {
    await Deno.link(`${staging}/${name}`, target);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw alreadyExists(dir, [name], { canForce: !name.startsWith("ca.") });
    }
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

/**
 * Creates the error about existing files.
 *
 * @param options.canForce true when the command has `--force`
 */
export function alreadyExists(
  dir: string,
  names: readonly string[],
  { canForce }: { readonly canForce: boolean },
): CertificateError {
  const [first, ...others] = names;
  const what = others.length === 0 ? `"${first}"` : `"${first}" and ${others.length} more`;
  return new CertificateError(
    "ALREADY_EXISTS",
    `Cannot write to "${dir}": it already has ${what}, and nothing was changed; ` +
      `${canForce ? "use --force to replace it, or " : ""}give another directory`,
  );
}

function notAccessible(action: string, path: string, cause: unknown): CertificateError {
  const reason = errorMessage(cause);
  const advice = cause instanceof Deno.errors.PermissionDenied ? "; check its permissions" : "";
  return new CertificateError("NOT_ACCESSIBLE", `Cannot ${action} "${path}": ${reason}${advice}`, { cause });
}
