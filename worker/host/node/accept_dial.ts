/** The gateway's end of the handshake with a node host that dials. */
import { deadline } from "../../../base/deadline.ts";
import type { HostInfo } from "../link.ts";
import type { Message } from "../socket/message_codec.ts";
import type { MessageConnection } from "../socket/message_connection.ts";
import { type ProtocolRange, PROTOCOLS } from "../socket/messages.ts";
import type { Accepted, Dial, DialRefusal, DialRefused } from "./node_messages.ts";

/** The time that a host has to send its first message, in milliseconds. */
const DIAL_MS = 10_000;
/** The time that a refusal has to leave, in milliseconds. */
const REFUSAL_MS = 1_000;

/** Returns the first message of a host. Undefined when there is none in time, or it is not a dial. */
export async function receiveDial(connection: MessageConnection): Promise<Dial | undefined> {
  const message = await deadline(connection.receiveFirst(), DIAL_MS).catch(() => undefined);
  return message && readDial(message);
}

function readDial({ body }: Message): Dial | undefined {
  const { dial, run, recovers, info, node, handle, nowMs } = body as Partial<Dial>;
  const { min, max }: Partial<ProtocolRange> = dial ?? {};
  const isDial = typeof min === "number" && typeof max === "number" && isName(run) && isInfo(info) &&
    typeof node === "string" && (handle === undefined || typeof handle === "string") && typeof nowMs === "number";
  if (!isDial) return undefined;
  return {
    dial: { min, max },
    run,
    info,
    node,
    nowMs,
    ...(handle === undefined ? {} : { handle }),
    ...(recovers === true ? { recovers } : {}),
  };
}

function isName(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{32}$/.test(value);
}

function isInfo(value: unknown): value is HostInfo {
  const { instance, pid, version } = (value ?? {}) as Partial<HostInfo>;
  return typeof instance === "string" && Number.isSafeInteger(pid) && typeof version === "string";
}

/** Accepts a host, whose link begins with the next message. Returns false when there is no common protocol. */
export function acceptDial(connection: MessageConnection, { dial }: Dial): boolean {
  const accepted = Math.min(dial.max, PROTOCOLS.max);
  if (accepted < Math.max(dial.min, PROTOCOLS.min)) return false;
  connection.send({ accepted } satisfies Accepted);
  return true;
}

/** Refuses a host, and ends the connection. */
export async function refuseDial(connection: MessageConnection, refused: DialRefusal): Promise<void> {
  connection.send({ refused } satisfies DialRefused);
  await connection.end(REFUSAL_MS);
}
