/** Connects to a job host through the socket in the directory of its instance. */
import { basename } from "node:path";
import { errorCode } from "../../../base/error_code.ts";
import { failureReason } from "../../../base/errno.ts";
import { HostUnavailableError } from "../../errors.ts";
import type { HostInfo } from "../link.ts";
import { type Message, ProtocolError } from "./message_codec.ts";
import { MessageConnection } from "./message_connection.ts";
import { type Hello, PROTOCOLS, type Refusal } from "./messages.ts";
import { RemoteJobHost, type RemoteJobHostOptions } from "./remote_job_host.ts";
import { readKey, shortSocketPath, socketPath } from "./socket_files.ts";

/**
 * Why a server cannot connect to a job host.
 *
 * - `MISSING`: the directory has no socket. The host has ended, or has not listened yet
 * - `DEAD`: no process listens on the socket. The host has died
 * - `SILENT`: a process listens and does not answer. The host hangs
 * - `PROTOCOL`: the host runs, and has no protocol in common with this version
 * - `REFUSED`: the files do not belong to the host or to this user, so nothing is known about the host
 */
export type ConnectProblem = "MISSING" | "DEAD" | "SILENT" | "PROTOCOL" | "REFUSED";

/** A server cannot connect to a job host. */
export class HostConnectError extends HostUnavailableError {
  readonly problem: ConnectProblem;

  /** @param why such as `process 42 does not answer` */
  constructor(problem: ConnectProblem, why: string, options?: ErrorOptions) {
    super(why, options);
    this.problem = problem;
  }
}

/** True for a host that works and has another protocol. Only its own jobs are unavailable. */
export function isOtherProtocol(error: unknown): boolean {
  return error instanceof HostConnectError && error.problem === "PROTOCOL";
}

/** The default of `acknowledgeMs`, for the handshake. */
const HANDSHAKE_MS = 5_000;
/** A host that dies may end a new connection before its socket refuses others. */
const ATTEMPTS = 3;
const ATTEMPT_PAUSE_MS = 50;

/**
 * Connects to a job host.
 *
 * @param directory the directory of its instance, whose name is the instance. The caller trusts its owner
 * @throws {HostConnectError} when it does not listen, does not answer or refuses the connection
 */
export async function connectHost(directory: string, options: RemoteJobHostOptions = {}): Promise<RemoteJobHost> {
  for (let attempt = 1;; attempt++) {
    const host = await connectOnce(directory, options);
    if (host !== undefined) return host;
    if (attempt === ATTEMPTS) throw new HostConnectError("SILENT", "it ends the connection without an answer");
    await new Promise((resolve) => setTimeout(resolve, ATTEMPT_PAUSE_MS));
  }
}

/** Returns undefined when the host ends the connection without an answer. */
async function connectOnce(directory: string, options: RemoteJobHostOptions): Promise<RemoteJobHost | undefined> {
  const key = await checkedKey(directory);
  const connection = new MessageConnection(await openSocket(directory));
  try {
    const instance = basename(directory);
    connection.send({ hello: PROTOCOLS, key, instance } satisfies Hello);
    const answer = await firstMessage(connection, options.acknowledgeMs ?? HANDSHAKE_MS);
    if (answer === undefined) {
      connection.close();
      return undefined;
    }
    return new RemoteJobHost(connection, readWelcome(answer), options);
  } catch (error) {
    connection.close();
    if (error instanceof ProtocolError) {
      throw new HostConnectError("REFUSED", "another program listens on its socket", { cause: error });
    }
    throw error;
  }
}

/**
 * Reads the key, when the socket belongs to the owner of the directory. The caller trusts the directory: the host may have
 * a user of its own.
 */
async function checkedKey(directory: string): Promise<string> {
  try {
    const { uid, isSocket } = await Deno.lstat(socketPath(directory));
    if (isSocket !== true) throw new HostConnectError("REFUSED", "its socket is not a socket");
    const { uid: owner } = await Deno.stat(directory);
    if (uid !== owner) {
      throw new HostConnectError("REFUSED", `its socket belongs to user ${uid}, and its directory to user ${owner}`);
    }
    return readKey(directory);
  } catch (error) {
    if (error instanceof HostConnectError) throw error;
    throw connectError(error);
  }
}

async function openSocket(directory: string): Promise<Deno.UnixConn> {
  try {
    using short = shortSocketPath(directory);
    return await Deno.connect({ transport: "unix", path: short.path });
  } catch (error) {
    throw connectError(error);
  }
}

function connectError(cause: unknown): HostConnectError {
  switch (errorCode(cause)) {
    case "ENOENT":
      return new HostConnectError("MISSING", "it has no socket", { cause });
    case "ECONNREFUSED":
      return new HostConnectError("DEAD", "no process listens on its socket", { cause });
    case "EAGAIN": // The queue of connections is full.
      return new HostConnectError("SILENT", "it accepts no connections", { cause });
    default:
      return new HostConnectError("REFUSED", failureReason(cause), { cause });
  }
}

async function firstMessage(connection: MessageConnection, timeoutMs: number): Promise<Message | undefined> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new HostConnectError("SILENT", "a process listens on its socket and does not answer"));
  }, timeoutMs);
  try {
    return await Promise.race([connection.receiveFirst(), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function readWelcome({ body }: Message): HostInfo {
  if (typeof body.welcome === "number" && typeof body.info === "object") return body.info as HostInfo;
  const { refused, protocols, version, pid } = body as Partial<Refusal>;
  if (refused === undefined) throw new ProtocolError("The first message of a host is not a welcome");
  const host = `process ${pid} of version "${version}"`;
  if (refused === "PROTOCOL") {
    throw new HostConnectError(
      "PROTOCOL",
      `${host} has the protocols ${protocols?.min} to ${protocols?.max}, ` +
        `and this version has ${PROTOCOLS.min} to ${PROTOCOLS.max}`,
    );
  }
  throw new HostConnectError("REFUSED", `${host} does not accept the ${refused === "KEY" ? "key" : "instance"}`);
}
