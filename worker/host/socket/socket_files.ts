/** The files by which a server finds a job host: the socket and the key in the directory of its instance. */
import { Buffer } from "node:buffer";
import { timingSafeEqual } from "node:crypto";
import { closeSync, constants, openSync } from "node:fs";
import { errorCode } from "../../../base/error_code.ts";
import { type FileModes, OWNER_MODES } from "../../../base/file_modes.ts";
import { readPlainFile } from "../../../base/plain_file.ts";
import { DirectoryInUseError } from "../../storage_errors.ts";

const SOCKET_NAME = "socket";
const KEY_NAME = "key";
const KEY_BYTES = 32;

/** The longest path of a socket in bytes: unix(7). */
const MAX_SOCKET_PATH_BYTES = 107;

/** Returns the path of the socket of an instance. */
export function socketPath(directory: string): string {
  return `${directory}/${SOCKET_NAME}`;
}

/** A path of a socket that the kernel accepts. */
interface ShortPath extends Disposable {
  readonly path: string;
}

/**
 * Returns a path of the socket that is short enough. A long one leads through an open descriptor of the directory, until
 * the path is disposed.
 */
export function shortSocketPath(directory: string): ShortPath {
  const path = socketPath(directory);
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return { path, [Symbol.dispose]() {} };
  const descriptor = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${descriptor}/${SOCKET_NAME}`, [Symbol.dispose]: () => closeSync(descriptor) };
}

/** A socket that listens. */
export interface ListeningSocket {
  readonly listener: Deno.UnixListener;
  readonly key: Uint8Array<ArrayBuffer>;
  /** Removes the socket and the key. Call it when the listener is closed and no `accept` runs. */
  remove(): void;
}

/**
 * Makes the key and the socket in the directory of an instance. Removes those that a dead host has left.
 *
 * @throws {DirectoryInUseError} when a process listens on the socket
 */
export async function listenIn(directory: string, modes: FileModes = OWNER_MODES): Promise<ListeningSocket> {
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  // The directory keeps all others out until the socket has its mode.
  await Deno.chmod(directory, 0o700);
  const short = shortSocketPath(directory);
  try {
    await removeDeadSocket(directory, short.path);
    const key = await makeKey(directory, modes.file);
    const listener = Deno.listen({ transport: "unix", path: short.path });
    await Deno.chmod(socketPath(directory), modes.socket);
    await Deno.chmod(directory, modes.directory);
    return {
      listener,
      key,
      remove() {
        // A listener itself removes its path, at the end of the last `accept`. The descriptor may have another use later.
        short[Symbol.dispose]();
        removeIfPresent(socketPath(directory));
        removeIfPresent(`${directory}/${KEY_NAME}`);
      },
    };
  } catch (error) {
    short[Symbol.dispose]();
    throw error;
  }
}

async function removeDeadSocket(directory: string, path: string): Promise<void> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    if (errorCode(error) === "ECONNREFUSED") return removeIfPresent(socketPath(directory));
    throw error;
  }
  throw new DirectoryInUseError();
}

async function makeKey(directory: string, mode: number): Promise<Uint8Array<ArrayBuffer>> {
  const path = `${directory}/${KEY_NAME}`;
  removeIfPresent(path);
  const key = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  await Deno.writeFile(path, key, { createNew: true, mode });
  return key;
}

/** Returns the key of a host in base64. */
export function readKey(directory: string): string {
  return readPlainFile(`${directory}/${KEY_NAME}`, KEY_BYTES).toBase64();
}

/** Returns whether a text is the key in base64. The time that it takes does not depend on the text's beginning. */
export function isKey(key: Uint8Array, text: unknown): boolean {
  const expected = Buffer.from(key.toBase64());
  const given = Buffer.from(typeof text === "string" ? text : "");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function removeIfPresent(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}
