/**
 * The messages between a server and a job host, and the rules by which they may change.
 *
 * Servers and hosts of different versions use this protocol together for weeks. So:
 * - `Hello`, `Welcome`, `Refusal` and the form of a message (message_codec.ts) never change. They may get more fields.
 * - Within one protocol number, messages and values may get optional fields. Calls may get optional arguments at the end.
 *   New messages and calls may appear. A reader ignores fields and messages that it does not know. A host answers a
 *   call that it does not know with an error. So a sender must accept that an older reader ignores the new part.
 * - An option of a job must never be ignored. It is safe, because a server starts new jobs only in hosts of its version.
 * - A field never changes its type or its meaning, and a field that is not optional never disappears.
 * - Every other change gets the next protocol number. A program supports the numbers from `min` to `max`.
 */
import type { HostedJobState, HostInfo, HostLink, JobChange, LogPiece, LogState } from "../link.ts";
import type { RemoteError } from "./remote_error.ts";

/** The protocol numbers of this version. */
export const PROTOCOLS = { min: 1, max: 1 };

/** A range of protocol numbers. */
export interface ProtocolRange {
  readonly min: number;
  readonly max: number;
}

/** The first message, from the server. */
export interface Hello {
  readonly hello: ProtocolRange;
  /** The contents of the key file in base64. */
  readonly key: string;
  /** The instance of the host that the server wants. */
  readonly instance: string;
}

/** The first message of a host that accepts the connection. */
export interface Welcome {
  /** The highest number that both support. */
  readonly welcome: number;
  readonly info: HostInfo;
}

/** Why a host refuses a connection. */
export type RefusalReason = "KEY" | "INSTANCE" | "PROTOCOL";

/** The only message of a host that refuses the connection. */
export interface Refusal {
  readonly refused: RefusalReason;
  readonly protocols: ProtocolRange;
  readonly version: string;
  readonly pid: number;
}

/** The calls with an answer whose arguments and results are plain data. */
export const CALLS = [
  "work",
  "check",
  "isolations",
  "start",
  "stop",
  "signal",
  "pause",
  "resume",
  "resize",
  "usage",
  "states",
  "watch",
  "recover",
  "discard",
  "deleteOutput",
  "stopJobs",
  "succeed",
] as const satisfies readonly (keyof HostLink)[];

/** The calls without an answer. */
export const NOTIFICATIONS = [
  "unwatch",
  "forget",
  "setRoom",
  "retire",
  "sendOutput",
  "storedOutput",
] as const satisfies readonly (keyof HostLink)[];

/** The name of a call with an answer. `attach` and `writeInput` have more messages than a call and an answer. */
export type CallName = typeof CALLS[number];
/** The name of a call without an answer. */
export type NotificationName = typeof NOTIFICATIONS[number];

/** A message of the server, after its hello. The numbers of calls never repeat in one connection. */
export type ServerMessage =
  | { readonly call: number; readonly name: string; readonly args: readonly unknown[] }
  | { readonly notify: string; readonly args: readonly unknown[] }
  /** The next chunk of the input that the call writes. Its bytes follow the JSON. `done`: the last chunk was sent. */
  | { readonly input: number; readonly end?: true; readonly done?: true }
  /** The input of the call ends early. The host still answers the call. */
  | { readonly abort: number }
  /** Only to be acknowledged. */
  | { readonly ping: true };

/** A message of the host, after its welcome. */
export type HostMessage =
  & {
    /** The number of messages that the host has received in this connection, without the hello. Absent if unchanged. */
    readonly ack?: number;
  }
  & (
    | { readonly answer: number; readonly value?: unknown; readonly error?: RemoteError }
    /** Some of the jobs that `attach` returns. All of them in one message could be too long. */
    | { readonly part: number; readonly jobs: readonly HostedJobState[] }
    /** The call that writes an input accepts its next chunk. */
    | { readonly next: number }
    | { readonly changed: JobChange }
    | { readonly grew: readonly GrowthReport[] }
    /** A piece of a log. Its bytes follow the JSON. */
    | { readonly output: LogPiece }
    | { readonly needsRoom: number }
    | { readonly failed: RemoteError }
    /** The host ends the connection, and why. */
    | { readonly bye: string }
    | { readonly ack: number }
  );

/** The growth of one log. */
export interface GrowthReport extends Pick<LogState, "start" | "end"> {
  readonly id: string;
}
