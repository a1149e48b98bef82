/** The client's certificate, its key and the authorities' certificates, as files of the certificate directory. */
import { errorMessage } from "../base/error_message.ts";
import type { TlsCredentials } from "../rpc/client/client.ts";
import { checkSecret, checkWriters } from "../trust/file_access.ts";
import type { Config } from "./config.ts";
import { explainReadError } from "./file_error.ts";
import type { Connection, Io } from "./io.ts";

/** A certificate or a key cannot be read or used. */
export class CertificateFilesError extends Error {
  override readonly name = "CertificateFilesError";
  /** The part that cannot be used. Absent when the message names the file. */
  readonly part: keyof TlsCredentials | undefined;

  constructor(message: string, options?: ErrorOptions & { readonly part?: keyof TlsCredentials }) {
    super(message, options);
    this.part = options?.part;
  }
}

/**
 * Reads the client certificate of the identity, in PEM.
 *
 * @throws {CertificateFilesError} when it cannot be read
 */
export function readCertificate(config: Config): Promise<string> {
  return readPem(config, `${config.identity}.crt`);
}

/**
 * Reads the certificates of the authorities, in PEM.
 *
 * @throws {CertificateFilesError} when they cannot be read
 */
export function readAuthorities(config: Config): Promise<string> {
  return readPem(config, "ca.crt");
}

/**
 * Reads the credentials of a connection.
 *
 * @throws {CertificateFilesError} when a file cannot be read, or other users can write to it
 */
export async function readCredentials(config: Config): Promise<TlsCredentials> {
  // In this order, so that the error always names the same one of several missing files.
  const ca = await readAuthorities(config);
  const cert = await readCertificate(config);
  const key = await readPem(config, `${config.identity}.key`);
  checkAccess(config);
  return { ca, cert, key };
}

/**
 * Opens a connection to the server with the certificate of the identity.
 *
 * @throws {CertificateFilesError} when a file cannot be read or used. The message names the file
 */
export async function connectAs(io: Pick<Io, "connect">, config: Config): Promise<Connection> {
  const credentials = await readCredentials(config);
  return await io.connect({ address: config.address, credentials }).catch((error) => {
    if (!(error instanceof CertificateFilesError) || error.part === undefined) throw error;
    const path = `${config.certsDir}/${fileNames(config)[error.part]}`;
    throw new CertificateFilesError(`Cannot use "${path}": ${error.message}`, { cause: error });
  });
}

function fileNames({ identity }: Config): Readonly<Record<keyof TlsCredentials, string>> {
  return { ca: "ca.crt", cert: `${identity}.crt`, key: `${identity}.key` };
}

/** Refuses files that other users can write, and a key that they can read, as ssh(1) does. */
function checkAccess({ certsDir, identity }: Config): void {
  try {
    for (const name of ["ca.crt", `${identity}.crt`, `${identity}.key`]) checkWriters(`${certsDir}/${name}`);
    checkSecret(`${certsDir}/${identity}.key`, { isBehindDirectories: true });
  } catch (cause) {
    // The system has errors too, such as for a current directory whose name is not UTF-8.
    const why = errorMessage(cause);
    throw new CertificateFilesError(`Cannot use these certificates: ${why}`, { cause });
  }
}

async function readPem(config: Config, name: string): Promise<string> {
  const path = `${config.certsDir}/${name}`;
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    const why = await explainReadError(path, cause);
    throw new CertificateFilesError(
      `Cannot read "${path}": ${why}: give the directory with --certs and the name with --identity, or import a ` +
        'bundle with "teleport login"',
      { cause },
    );
  }
}
