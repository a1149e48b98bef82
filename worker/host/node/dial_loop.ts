/** The host's end of the link to its gateway: dials, is accepted or refused, serves, and dials again when the link is lost. */
import { Backoff, sleep } from "../../../base/backoff.ts";
import { deadline } from "../../../base/deadline.ts";
import type { HostInfo } from "../link.ts";
import type { ByteStream } from "../socket/message_connection.ts";
import type { Message } from "../socket/message_codec.ts";
import { PROTOCOLS } from "../socket/messages.ts";
import { ServedConnection, type ServedHost } from "../socket/served_connection.ts";
import type { Dial, DialRefusal } from "./node_messages.ts";

/** The wait before the next dial, in milliseconds. */
const FIRST_RETRY_MS = 200;
const MAX_RETRY_MS = 10_000;
/** A link that was open for this time worked, in milliseconds. One that ends sooner may end again and again. */
const WORKING_MS = 5_000;
/** The time that a gateway has to answer a dial, in milliseconds. It may be busy with other hosts. */
const ANSWER_MS = 60_000;

/** Options of the loop. */
export interface DialLoopOptions {
  readonly host: ServedHost;
  /** The facts that the host reports of itself. */
  readonly dial: Pick<Dial, "run" | "recovers" | "node" | "handle">;
  readonly info: HostInfo;
  /** Opens a connection to the gateway. Rejects when that is not possible now. */
  readonly connect: (signal: AbortSignal) => Promise<ByteStream>;
  /** Called when the link is open, and when it is lost. */
  readonly onLinked: (isLinked: boolean, why?: string) => void;
  readonly onError: (error: Error) => void;
  /** Ends the loop. */
  readonly signal: AbortSignal;
}

/**
 * Keeps a host linked to its gateway until the signal aborts.
 *
 * @returns why the gateway refuses the host for good; undefined after the signal
 */
export async function dialGateway(options: DialLoopOptions): Promise<DialRefusal | undefined> {
  const { signal, connect, onLinked } = options;
  let backoff = new Backoff(FIRST_RETRY_MS, MAX_RETRY_MS);
  while (!signal.aborted) {
    let linkedAtMs = Infinity;
    try {
      const refused = await serveOnce(options, await connect(signal), () => linkedAtMs = performance.now());
      if (refused !== undefined && refused !== "LATER") return refused;
    } catch (error) {
      if (!signal.aborted) onLinked(false, String(error));
    }
    if (performance.now() - linkedAtMs >= WORKING_MS) backoff = new Backoff(FIRST_RETRY_MS, MAX_RETRY_MS);
    await sleep(backoff.nextMs(), signal).catch(() => {}); // The loop ends when the signal aborts.
  }
  return undefined;
}

/** Serves one connection to its end. Returns the refusal of the gateway. */
async function serveOnce(
  { host, dial, info, onLinked, onError, signal }: DialLoopOptions,
  stream: ByteStream,
  onAccepted: () => void,
): Promise<DialRefusal | undefined> {
  const connection = new ServedConnection(stream, host, () => {}, onError);
  const close = () => connection.close();
  signal.addEventListener("abort", close);
  try {
    connection.sendHandshake({ ...dial, dial: PROTOCOLS, info, nowMs: Date.now() } satisfies Dial);
    const answer = await deadline(connection.receiveHello(), ANSWER_MS);
    if (answer === undefined) throw new Error("The gateway does not answer");
    const refused = refusalIn(answer);
    if (refused !== undefined) return refused;
    onAccepted();
    onLinked(true);
    await connection.serve();
    onLinked(false, "the gateway has ended the connection");
    return undefined;
  } finally {
    signal.removeEventListener("abort", close);
    connection.detach();
    connection.close();
  }
}

function refusalIn({ body }: Message): DialRefusal | undefined {
  if (typeof body.accepted === "number") return undefined;
  if (typeof body.refused !== "string") throw new Error("The gateway answers with another protocol");
  return body.refused as DialRefusal;
}
