/**
 * The handshake of a job host that dials its gateway. The host sends `Dial`, the gateway answers `Accepted` or
 * `DialRefused`. After `Accepted` the messages are those of socket/messages.ts, and their rules hold here too.
 */
import type { HostInfo } from "../link.ts";
import type { ProtocolRange } from "../socket/messages.ts";

/**
 * The most pieces of output that the gateway has not stored. They fill a network of 10 Gbit/s with a delay of 1.6 ms. The
 * gateway notes to the host every fourth part of them.
 */
export const MAX_PIECES_ON_WAY = 8;

/** The first message, from the host. */
export interface Dial {
  readonly dial: ProtocolRange;
  /** A random name of this host process. The first one that a gateway accepts is the only one that may start the job. */
  readonly run: string;
  /** True when the host process that was accepted has died. This one ends what it has left. */
  readonly recovers?: true;
  readonly info: HostInfo;
  /** The machine, as the engine names it. */
  readonly node: string;
  /** The number that the engine gave this job. Absent when it has none. */
  readonly handle?: string;
  /** The time of the host's clock, in milliseconds since 1970. */
  readonly nowMs: number;
}

/** The answer to a host that may start the job, or that has started it. */
export interface Accepted {
  /** The highest protocol that both support. */
  readonly accepted: number;
}

/**
 * Why a gateway refuses a host.
 *
 * - `TAKEN`: another host process was accepted for the job
 * - `OVER`: the job has ended, or does not exist. The host ends what runs
 * - `PROTOCOL`: the gateway and the host have no protocol in common
 * - `LATER`: the gateway cannot store that it accepts the host
 */
export type DialRefusal = "TAKEN" | "OVER" | "PROTOCOL" | "LATER";

/** The answer to a host that is refused. */
export interface DialRefused {
  readonly refused: DialRefusal;
}
