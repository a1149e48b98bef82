/** A job host for one job, on a machine without the files of the gateway: it sends the log over the link. */
import { join } from "node:path";
import { asError } from "../../../base/as_error.ts";
import { LOG_START } from "../../output/cursor.ts";
import { isFinalState } from "../../process/state.ts";
import { JobHost } from "../job_host.ts";
import type { JobHostOptions } from "../job_host_options.ts";
import type {
  HostedJobState,
  HostEvents,
  HostStart,
  JobChange,
  LogPlace,
  LogState,
  OrphanedJob,
  RecoveredJob,
} from "../link.ts";
import { LogSender } from "./log_sender.ts";

type Range = Pick<LogState, "start" | "end">;

/** Options of a node host. */
export interface NodeJobHostOptions extends JobHostOptions {
  /** The variables of the engine that the job gets, such as its share of the machine. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** A job host whose gateway does not read its files. */
export class NodeJobHost extends JobHost {
  readonly #outputDirectory: string;
  readonly #variables: Readonly<Record<string, string>>;
  readonly #onError: (error: Error) => void;
  /** The part of the job's log that exists. */
  #range: Range = { start: LOG_START, end: LOG_START };
  #sender: LogSender | undefined;
  /** The events of the gateway, and those that the host gets in their place. */
  #attached: { readonly given: HostEvents; readonly used: HostEvents } | undefined;

  constructor(options: NodeJobHostOptions) {
    super(options);
    this.#variables = options.variables ?? {};
    this.#outputDirectory = options.outputDirectory;
    this.#onError = options.onError ?? (() => {});
  }

  override async attach(events: HostEvents): Promise<readonly HostedJobState[]> {
    this.#stopSender();
    const used: HostEvents = {
      changed: (change) => {
        this.#noteEnd(change);
        events.changed(change);
      },
      // The gateway cannot read what it has not got.
      grew: (_id, range) => this.#moved(range),
      needsRoom: (bytes) => events.needsRoom(bytes),
      availability: (isAvailable) => events.availability(isAvailable),
      failed: (error) => events.failed(error),
    };
    this.#attached = { given: events, used };
    const states = await super.attach(used);
    for (const { id, changes, live } of states) {
      for (const change of changes) this.#noteEnd(change);
      if (live !== undefined) await this.#watchLog(id);
    }
    return states;
  }

  override detach(events: HostEvents): void {
    if (this.#attached?.given !== events) return;
    this.#stopSender();
    super.detach(this.#attached.used);
    this.#attached = undefined;
  }

  override async start(start: HostStart): Promise<void> {
    await super.start({ ...start, baseEnv: { ...this.#variables, ...start.baseEnv } });
    await this.#watchLog(start.spec.id);
  }

  /** Ends the sending of the log, until the next `sendOutput`. */
  override unwatch(_id: string): void {
    this.#stopSender();
  }

  /** Recovers the job of the host that died, whose directory this host has. */
  override async recover(job: OrphanedJob): Promise<RecoveredJob> {
    const result = await super.recover(job);
    const end = result.details.output?.end;
    if (end !== undefined) this.#moved({ start: this.#range.start, end });
    return result;
  }

  /** Sends the log from a place, and then all growth. Replaces an earlier call. */
  sendOutput(id: string, from: LogPlace | undefined): void {
    this.#stopSender();
    const events = this.#attached?.given;
    if (events === undefined) return;
    this.#sender = new LogSender({
      id,
      directory: join(this.#outputDirectory, id),
      from,
      range: this.#range,
      send: (piece, data) => events.output?.(piece, data),
      onError: (error) => this.#onError(asError(error)),
    });
  }

  /** Notes that the gateway has stored the log up to a place. */
  storedOutput(_id: string, place: LogPlace): void {
    this.#sender?.stored(place);
  }

  async #watchLog(id: string): Promise<void> {
    const state = await super.watch(id);
    if (state !== undefined) this.#moved(state);
  }

  /** Takes the end of the log at the end of the job, which the host reports in no other way. */
  #noteEnd({ status, details }: JobChange): void {
    if (!isFinalState(status.state) || details.output === undefined) return;
    this.#moved({ start: this.#range.start, end: details.output.end });
  }

  #moved({ start, end }: Range): void {
    if (end.position < this.#range.end.position) return;
    this.#range = { start, end };
    this.#sender?.grew(this.#range);
  }

  #stopSender(): void {
    this.#sender?.stop();
    this.#sender = undefined;
  }
}
