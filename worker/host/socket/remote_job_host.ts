/** A job host at the other end of a socket. */
import { setImmediate } from "node:timers";
import { asError } from "../../../base/as_error.ts";
import type { Isolation } from "../../../base/job_options/table.ts";
import { HostUnavailableError } from "../../errors.ts";
import type { StopOptions } from "../../process/options.ts";
import type { InputChunk, InputOptions, InputResult } from "../../process/stdin.ts";
import type { TerminalSize } from "../../terminal/size.ts";
import type { Usage } from "../../process/usage.ts";
import type {
  HostCheck,
  HostedJobState,
  HostEvents,
  HostInfo,
  HostLink,
  HostStart,
  HostWork,
  JobChange,
  LiveState,
  LogPiece,
  LogState,
  OrphanedJob,
  RecoveredJob,
} from "../link.ts";
import { HostCalls } from "./host_calls.ts";
import type { Message } from "./message_codec.ts";
import type { MessageConnection } from "./message_connection.ts";
import type { CALLS, GrowthReport, NotificationName } from "./messages.ts";
import { fromRemoteError, type RemoteError } from "./remote_error.ts";

/** The jobs in one call of `states`. The answer for more could be too long. */
const STATES_PER_CALL = 1_000;
/** The default of `acknowledgeMs`. */
const ACKNOWLEDGE_MS = 5_000;
/** The time of the last messages at the end, in milliseconds. */
const END_MS = 1_000;

/** The events in a message of the host. */
interface EventMessage {
  readonly changed?: JobChange;
  readonly grew?: readonly GrowthReport[];
  readonly needsRoom?: number;
  readonly failed?: RemoteError;
}

const EVENTS: readonly (keyof EventMessage)[] = ["changed", "grew", "needsRoom", "failed"];
type Answered = typeof CALLS[number];
type Answer<Name extends Answered> = Awaited<ReturnType<HostLink[Name]>>;

/** Options of a link over a socket. */
export interface RemoteJobHostOptions {
  /** The time that the host has to acknowledge a message, in milliseconds. Default: 5,000. */
  readonly acknowledgeMs?: number;
}

/** A job host at the other end of a socket. */
export class RemoteJobHost implements HostLink {
  readonly info: HostInfo;
  readonly closed: Promise<Error | undefined>;
  readonly #connection: MessageConnection;
  readonly #calls: HostCalls;
  #events: HostEvents | undefined;
  #isClosing = false;
  /** True when a caller may not have seen its answer yet. */
  #hasAnswered = false;
  /** Why the host ends the connection. */
  #bye: string | undefined;

  /** @param connection a connection after the handshake */
  constructor(connection: MessageConnection, info: HostInfo, options: RemoteJobHostOptions = {}) {
    this.info = info;
    this.#connection = connection;
    this.#calls = new HostCalls(connection, {
      pid: info.pid,
      acknowledgeMs: options.acknowledgeMs ?? ACKNOWLEDGE_MS,
      onAvailability: (isAvailable) => this.#emit((events) => events.availability(isAvailable)),
    });
    this.closed = this.#receiveAll();
  }

  async attach(events: HostEvents): Promise<readonly HostedJobState[]> {
    this.#events = events;
    return await this.#calls.call("attach", []) as HostedJobState[] | undefined ?? [];
  }

  work(): Promise<HostWork> {
    return this.#call("work");
  }

  check(check: HostCheck): Promise<void> {
    return this.#call("check", check);
  }

  isolations(): Promise<Readonly<Record<Isolation, string>>> {
    return this.#call("isolations");
  }

  start(start: HostStart): Promise<void> {
    return this.#call("start", start);
  }

  stop(id: string, options: StopOptions): Promise<void> {
    return this.#call("stop", id, options);
  }

  signal(id: string, signal: string, by?: string): Promise<void> {
    return this.#call("signal", id, signal, by);
  }

  pause(id: string, by?: string): Promise<void> {
    return this.#call("pause", id, by);
  }

  resume(id: string): Promise<void> {
    return this.#call("resume", id);
  }

  resize(id: string, size: TerminalSize): Promise<void> {
    return this.#call("resize", id, size);
  }

  async writeInput(id: string, chunks: AsyncIterable<InputChunk>, options: InputOptions): Promise<InputResult> {
    return await this.#calls.writeInput(id, chunks, options) as InputResult;
  }

  usage(id: string): Promise<Usage | undefined> {
    return this.#call("usage", id);
  }

  async states(ids: readonly string[]): Promise<Readonly<Record<string, LiveState>>> {
    if (ids.length <= STATES_PER_CALL) return await this.#call("states", ids);
    const parts: Readonly<Record<string, LiveState>>[] = [];
    for (let at = 0; at < ids.length; at += STATES_PER_CALL) {
      parts.push(await this.#call("states", ids.slice(at, at + STATES_PER_CALL)));
    }
    return Object.assign({}, ...parts);
  }

  watch(id: string): Promise<LogState | undefined> {
    return this.#call("watch", id);
  }

  unwatch(id: string): void {
    this.notify("unwatch", id);
  }

  forget(id: string): void {
    this.notify("forget", id);
  }

  setRoom(bytes: number | undefined): void {
    // The room changes with each job. A host that hangs needs only the newest.
    this.#calls.notifyLatest("setRoom", [bytes]);
  }

  recover(job: OrphanedJob): Promise<RecoveredJob> {
    return this.#call("recover", job);
  }

  discard(instance: string): Promise<void> {
    return this.#call("discard", instance);
  }

  deleteOutput(id: string): Promise<void> {
    return this.#call("deleteOutput", id);
  }

  stopJobs(graceMs: number | undefined): Promise<void> {
    return this.#call("stopJobs", graceMs);
  }

  retire(isRetired: boolean): void {
    this.notify("retire", isRetired);
  }

  succeed(): Promise<string> {
    return this.#call("succeed");
  }

  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    await this.#connection.end(END_MS);
    await this.closed;
  }

  async #call<Name extends Answered>(name: Name, ...args: Parameters<HostLink[Name]>): Promise<Answer<Name>> {
    return await this.#calls.call(name, args) as Answer<Name>;
  }

  protected notify<Name extends NotificationName>(name: Name, ...args: Parameters<NonNullable<HostLink[Name]>>): void {
    this.#calls.notify(name, args);
  }

  async #receiveAll(): Promise<Error | undefined> {
    let reason: Error | undefined;
    try {
      await this.#connection.receive((message) => this.#receive(message));
    } catch (cause) {
      reason = new HostUnavailableError(`process ${this.info.pid} sends messages that are not valid`, { cause });
    }
    const why = this.#bye === undefined ? "has ended the connection" : `has ended the connection, because ${this.#bye}`;
    reason ??= new HostUnavailableError(`process ${this.info.pid} ${why}`);
    this.#connection.close();
    this.#calls.end(this.#isClosing ? new HostUnavailableError("the link was closed") : reason);
    return this.#isClosing ? undefined : reason;
  }

  #receive({ body, data }: Message): Promise<void> | void {
    if (this.#calls.receive(body)) {
      this.#hasAnswered = true;
    } else if (typeof body.output === "object") {
      return this.#events?.output?.(body.output as LogPiece, data);
    } else if (typeof body.bye === "string") {
      this.#bye = body.bye;
    } else if (EVENTS.some((event) => event in body)) {
      // A caller sees its answer before what the host reports after it.
      if (this.#hasAnswered) return this.#reportLater(body as EventMessage);
      this.#report(body as EventMessage);
    }
  }

  async #reportLater(message: EventMessage): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#hasAnswered = false;
    this.#report(message);
  }

  #report(message: EventMessage): void {
    const { changed, grew = [], needsRoom, failed } = message;
    if (changed !== undefined) this.#emit((events) => events.changed(changed));
    for (const { id, start, end } of grew) this.#emit((events) => events.grew(id, { start, end }));
    if (needsRoom !== undefined) this.#emit((events) => events.needsRoom(needsRoom));
    if (failed !== undefined) this.#emit((events) => events.failed(fromRemoteError(failed)));
  }

  /** An error of the receiver must not end the link. */
  #emit(action: (events: HostEvents) => void): void {
    if (this.#events === undefined) return;
    try {
      action(this.#events);
    } catch (error) {
      try {
        this.#events.failed(asError(error));
      } catch {
        // Nobody else can receive it.
      }
    }
  }
}
