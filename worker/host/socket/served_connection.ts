/** The host's end of one connection: carries out the calls of the server and sends it the events of the host. */
import { asError } from "../../../base/as_error.ts";
import { setImmediate } from "node:timers";
import { NotEnforceableError } from "../../errors.ts";
import type { InputOptions } from "../../process/stdin.ts";
import type { HostEvents, HostLink } from "../link.ts";
import { GrowthReports } from "./growth_reports.ts";
import { type Message, ProtocolError } from "./message_codec.ts";
import { type ByteStream, MessageConnection } from "./message_connection.ts";
import { CALLS, type HostMessage, NOTIFICATIONS, type Refusal, type Welcome } from "./messages.ts";
import { toRemoteError } from "./remote_error.ts";
import type { Dial } from "../node/node_messages.ts";
import { ServedInput } from "./served_input.ts";

/** The host stops to receive while a server has not read this number of bytes: more than any usual answer. */
const MAX_UNREAD_BYTES = 1_048_576;
/** A piece of a log waits while a server has not read this number of bytes. So other messages do not wait for long. */
const MAX_UNREAD_OUTPUT_BYTES = 524_288;
/** The time that the last messages have at the end, in milliseconds. */
const END_MS = 1_000;
/** The jobs in one part of the answer to `attach`. */
const JOBS_PER_PART = 64;

/** A job host that servers attach to and leave. */
export interface ServedHost extends HostLink {
  /** Ends the reports to the receiver of an earlier `attach`. Has no effect when another one has replaced it. */
  detach(events: HostEvents): void;
}

type Call = (...args: unknown[]) => Promise<unknown>;

/** The host's end of one connection. */
export class ServedConnection {
  readonly #connection: MessageConnection;
  readonly #host: ServedHost;
  readonly #claim: (connection: ServedConnection) => void;
  readonly #onError: (error: Error) => void;
  readonly #inputs = new Map<number, ServedInput>();
  readonly #growth = new GrowthReports();
  /** The jobs that this connection watches. */
  readonly #watched = new Set<string>();
  #received = 0;
  #acknowledged = 0;
  #isAckDue = false;

  /**
   * @param claim makes this connection the one that receives events
   * @param onError receives the errors of calls without an answer
   */
  constructor(
    stream: ByteStream,
    host: ServedHost,
    claim: (connection: ServedConnection) => void,
    onError: (error: Error) => void,
  ) {
    this.#connection = new MessageConnection(stream, () => this.#sendGrowth());
    this.#host = host;
    this.#claim = claim;
    this.#onError = onError;
  }

  /** Returns the first message. Undefined when the peer ends the connection before it. */
  receiveHello(): Promise<Message | undefined> {
    return this.#connection.receiveFirst();
  }

  /** Answers the hello. */
  sendHandshake(answer: Welcome | Refusal | Dial): void {
    this.#connection.send(answer);
  }

  /**
   * Serves the connection until it ends.
   *
   * @throws {ProtocolError} when the peer does not keep to the protocol
   */
  async serve(): Promise<void> {
    try {
      await this.#connection.receive((message) => this.#receive(message), MAX_UNREAD_BYTES);
    } finally {
      for (const input of this.#inputs.values()) input.abort();
    }
  }

  /** Ends the reports of the jobs that this connection watches. */
  unwatchAll(): void {
    for (const id of this.#watched) this.#attempt(() => this.#host.unwatch(id));
    this.#watched.clear();
  }

  /** Ends all reports to this connection. */
  detach(): void {
    this.unwatchAll();
    this.#attempt(() => this.#host.detach(this.#events));
  }

  /** Ends the connection at once. */
  close(): void {
    this.#connection.close();
  }

  /** Sends what is queued, and says why the connection ends. */
  async end(why: string | undefined): Promise<void> {
    if (why !== undefined) this.#send({ bye: why });
    await this.#connection.end(END_MS);
  }

  readonly #events: HostEvents = {
    changed: (change) =>
      this.#attempt(() => {
        // The end of a job is reported after its last growth.
        const grew = this.#growth.take(change.id);
        if (grew.length > 0) this.#send({ grew });
        this.#send({ changed: change });
      }),
    grew: (id, range) => {
      this.#growth.add(id, range);
      this.#connection.requestWrite();
    },
    output: async (piece, data) => {
      this.#send({ output: piece }, data);
      await this.#connection.drained(MAX_UNREAD_OUTPUT_BYTES);
    },
    needsRoom: (bytes) => this.#send({ needsRoom: bytes }),
    availability: () => {},
    failed: (error) => this.#send({ failed: toRemoteError(error) }),
  };

  #receive({ body, data }: Message): void {
    this.#received++;
    if (typeof body.call === "number") {
      void this.#answer(body.call, String(body.name), argumentsOf(body));
    } else if (typeof body.notify === "string") {
      this.#notify(body.notify, argumentsOf(body));
    } else if (typeof body.input === "number") {
      const { end, done } = body;
      const input = this.#inputs.get(body.input);
      if (done === true) input?.give({ done: true, value: undefined });
      else input?.give({ done: false, value: { data: data.slice(), end: end === true } });
    } else if (typeof body.abort === "number") {
      this.#inputs.get(body.abort)?.abort();
    }
    this.#requestAck();
  }

  async #answer(call: number, name: string, args: unknown[]): Promise<void> {
    try {
      const value = await this.#call(call, name, args);
      this.#send({ answer: call, ...(value === undefined ? {} : { value }) });
    } catch (error) {
      this.#send({ answer: call, error: toRemoteError(error) });
    }
  }

  async #call(call: number, name: string, args: unknown[]): Promise<unknown> {
    if (name === "attach") return await this.#attach(call);
    if (name === "writeInput") return await this.#writeInput(call, args);
    if (!isOneOf(CALLS, name)) {
      const { version } = this.#host.info;
      throw new NotEnforceableError(`The job host of version "${version}" has no call ${JSON.stringify(name)}`);
    }
    if (name === "watch") this.#watched.add(String(args[0]));
    return await (this.#host[name] as Call)(...args);
  }

  async #attach(call: number): Promise<void> {
    this.#claim(this);
    const jobs = await this.#host.attach(this.#events);
    for (let at = 0; at < jobs.length; at += JOBS_PER_PART) {
      this.#send({ part: call, jobs: jobs.slice(at, at + JOBS_PER_PART) });
    }
  }

  async #writeInput(call: number, [id, options]: unknown[]): Promise<unknown> {
    const input = new ServedInput(() => this.#send({ next: call }));
    this.#inputs.set(call, input);
    try {
      const { signal } = input;
      return await this.#host.writeInput(String(id), input, { ...options as InputOptions, signal });
    } finally {
      this.#inputs.delete(call);
    }
  }

  #notify(name: string, args: unknown[]): void {
    if (!isOneOf(NOTIFICATIONS, name)) return;
    if (name === "unwatch") this.#watched.delete(String(args[0]));
    this.#attempt(() => void (this.#host[name] as (...args: unknown[]) => void)(...args));
  }

  /** An error of the host must not end the connection, which has other calls. */
  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#onError(asError(error));
    }
  }

  #sendGrowth(): void {
    const grew = this.#growth.takeAll();
    if (grew.length > 0) this.#send({ grew });
  }

  /** Acknowledges soon. An answer that is ready before then needs no message of its own for it. */
  #requestAck(): void {
    if (this.#isAckDue) return;
    this.#isAckDue = true;
    setImmediate(() => {
      this.#isAckDue = false;
      if (this.#acknowledged < this.#received) this.#send({ ack: this.#received });
    });
  }

  #send(message: HostMessage, data?: Uint8Array): void {
    const ack = this.#received;
    this.#connection.send(this.#acknowledged < ack ? { ...message, ack } : message, data);
    this.#acknowledged = ack;
  }
}

function isOneOf<const Name extends string>(names: readonly Name[], name: string): name is Name {
  return (names as readonly string[]).includes(name);
}

/** JSON has null for an argument that is undefined. No argument of a call is null. */
function argumentsOf({ args }: Message["body"]): unknown[] {
  if (!Array.isArray(args)) throw new ProtocolError("A call has no list of arguments");
  return args.map((arg) => arg ?? undefined);
}
