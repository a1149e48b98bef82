/** Explains why a call failed: replaces the texts of grpc-js with ones that a person can act on. */
import type { TLSSocket } from "node:tls";
import type { Certificate } from "../../trust/certificate.ts";
import { type Address, formatAddress } from "../shared/address.ts";
import { CallError } from "../shared/errors.ts";
import {
  explainLost,
  explainTimeout,
  explainUnavailable,
  mayBeCertificateRefusal,
  type Unreachable,
} from "../shared/unavailable.ts";
import { clientCertificateFault } from "./client_identity.ts";
import { serverCertificateFault } from "./server_identity.ts";

/** The facts about a call that its error alone does not show. */
export interface CallEnd {
  /** The deadline of the call in milliseconds. Undefined when it has none. */
  readonly deadlineMs: number | undefined;
  /** Set when no connection was made within this time, in milliseconds. */
  readonly connectTimeoutMs: number | undefined;
  /** True when this client cancelled the call. */
  readonly wasCancelled: boolean;
}

/** Checks the servers of one channel, and explains the failures of its calls. */
export class FailureExplainer {
  readonly #address: Address;
  readonly #authorities: readonly Certificate[];
  readonly #ownChain: readonly Certificate[];
  /** The fault of the server's certificate at the last handshake. */
  #serverFault: Unreachable | undefined;
  /** True after a handshake has succeeded. From then on the server may refuse this client's certificate. */
  #wasSecured = false;

  /**
   * @param authorities the trusted authorities
   * @param ownChain the certificates of this client
   */
  constructor(address: Address, authorities: readonly Certificate[], ownChain: readonly Certificate[]) {
    this.#address = address;
    this.#authorities = authorities;
    this.#ownChain = ownChain;
  }

  /**
   * Checks the server at the other end of a connection, before its first use.
   *
   * @throws {Error} when the server's certificate is not accepted; the connection is destroyed
   */
  checkServer(socket: TLSSocket): void {
    this.#serverFault = serverCertificateFault(socket, this.#address.host, this.#authorities);
    if (this.#serverFault !== undefined) {
      socket.destroy();
      throw new Error(this.#serverFault.message);
    }
    this.#wasSecured = true;
  }

  /** Returns the error of a call for its caller. */
  explain(error: unknown, { deadlineMs, connectTimeoutMs, wasCancelled }: CallEnd): CallError {
    const failed = CallError.from(error);
    if (connectTimeoutMs !== undefined) return unreachable(explainTimeout(connectTimeoutMs, this.#address), failed);
    // grpc-js reports CANCELLED when the connection ended in a way that it does not know.
    const wasLost = failed.status === "CANCELLED" && failed.code === undefined && !wasCancelled;
    if (wasLost) return unreachable(explainLost(this.#address), failed);
    return this.#explainStatus(failed, deadlineMs);
  }

  /** Keeps the messages of the server, and replaces those of grpc-js. */
  #explainStatus(failed: CallError, deadlineMs: number | undefined): CallError {
    const { status, message, code } = failed;
    if (code !== undefined) return failed;
    if (status === "UNAVAILABLE") {
      const why = this.#explainUnavailable(message);
      return why === undefined ? failed : unreachable(why, failed);
    }
    if (status === "CANCELLED") return new CallError(status, "The call was cancelled", failed);
    if (status === "DEADLINE_EXCEEDED" && deadlineMs !== undefined) {
      return new CallError(status, `No answer within ${deadlineMs} ms`, failed);
    }
    return failed;
  }

  /**
   * Explains why no connection was made. A TLS 1.3 server that does not accept a certificate closes the connection, and
   * so do many other failures. So the client checks its own certificate before it names another cause.
   */
  #explainUnavailable(message: string): Unreachable | undefined {
    const server = formatAddress(this.#address);
    const fault = this.#serverFault;
    if (fault !== undefined && message.includes(fault.message)) {
      return { reason: fault.reason, message: `Cannot reach the server at "${server}": ${fault.message}` };
    }
    const why = explainUnavailable(message, this.#address);
    const own = this.#wasSecured ? clientCertificateFault(this.#ownChain, this.#authorities) : undefined;
    // The server may accept other authorities than this client. So an uncertain fault counts only without an answer.
    if (own === undefined || !(own.isCertain || mayBeCertificateRefusal(why?.reason))) return why;
    return { reason: own.reason, message: `Cannot reach the server at "${server}": ${own.message}` };
  }
}

function unreachable({ reason, message }: Unreachable, { cause }: CallError): CallError {
  return new CallError("UNAVAILABLE", message, { cause, unreachable: reason });
}
