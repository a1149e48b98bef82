/**
 * The gateway's end of the link to a node host. It stores the output that arrives. It reports no growth and no end before
 * the output up to there is stored.
 */
import { asError } from "../../../base/as_error.ts";
import { LOG_START, type LogPosition } from "../../output/cursor.ts";
import type { LogReplica } from "../../output/log_replica.ts";
import { isFinalState } from "../../process/state.ts";
import type {
  HostedJobState,
  HostEvents,
  HostInfo,
  JobChange,
  LiveState,
  LogPiece,
  LogState,
  OrphanedJob,
  RecoveredJob,
} from "../link.ts";
import type { MessageConnection } from "../socket/message_connection.ts";
import { logStateOf } from "./log_state.ts";
import { MAX_PIECES_ON_WAY } from "./node_messages.ts";
import { RemoteJobHost, type RemoteJobHostOptions } from "../socket/remote_job_host.ts";

type Range = Pick<LogState, "start" | "end">;

/** The pieces that are stored until the host hears of it. It stops to send while `MAX_PIECES_ON_WAY` are not stored. */
const PIECES_PER_NOTE = MAX_PIECES_ON_WAY / 4;
/** The time until output is requested again after it could not be stored, in milliseconds. */
const RETRY_MS = 5_000;

/** Options of a link to a node host. */
export interface NodeLinkOptions extends RemoteJobHostOptions {
  /** The id of the job. */
  readonly job: string;
  readonly replica: LogReplica;
  /** The part of the log that can be read here. */
  readonly range: Range;
}

/** The link to a node host. */
export class NodeLink extends RemoteJobHost {
  readonly #job: string;
  readonly #replica: LogReplica;
  #events: HostEvents | undefined;
  /** The part of the log that can be read here. */
  #range: Range;
  /** Work that waits until the log can be read up to a position. */
  #held: { readonly position: number; readonly run: () => void }[] = [];
  /** True when the host cannot send the rest. */
  #isCut = false;
  /** Runs while output cannot be stored. The host sends none then, and the job continues. */
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** True until the first piece after that. Earlier ones may still be on their way. */
  #isResumed = false;
  /** The pieces that are stored and not noted. */
  #notNoted = 0;
  /** True when a failure was reported and nothing was stored since. */
  #isFailing = false;

  constructor(connection: MessageConnection, info: HostInfo, options: NodeLinkOptions) {
    super(connection, info, options);
    this.#job = options.job;
    this.#replica = options.replica;
    this.#range = options.range;
    void this.closed.then(() => clearTimeout(this.#retry));
  }

  override async attach(events: HostEvents): Promise<readonly HostedJobState[]> {
    this.#events = events;
    const states = await super.attach({
      changed: (change) => this.#changed(change),
      grew: () => {}, // The host reports growth with the output.
      output: (piece, data) => this.#store(piece, data),
      needsRoom: (bytes) => events.needsRoom(bytes),
      availability: (isAvailable) => events.availability(isAvailable),
      failed: (error) => events.failed(error),
    });
    this.notify("sendOutput", this.#job, this.#replica.place);
    return states.map(({ id, changes, live }) => {
      const early = changes.filter((change) => this.#isStored(change));
      for (const change of changes) if (!early.includes(change)) this.#changed(change);
      return { id, changes: early, ...(live === undefined ? {} : { live: this.#limited(live) }) };
    });
  }

  override async states(ids: readonly string[]): Promise<Readonly<Record<string, LiveState>>> {
    const states = await super.states(ids);
    return Object.fromEntries(Object.entries(states).map(([id, live]) => [id, this.#limited(live)]));
  }

  /** Returns the part of the log that is stored here. Its growth is always reported. */
  override watch(_id: string): Promise<LogState | undefined> {
    return Promise.resolve(logStateOf(this.#range));
  }

  override unwatch(_id: string): void {}

  override async recover(job: OrphanedJob): Promise<RecoveredJob> {
    const result = await super.recover(job);
    const end = result.details.output?.end;
    if (end !== undefined) await new Promise<void>((resolve) => this.#when(end, resolve));
    return result;
  }

  /** Returns a state of the host whose log ends where it ends here. */
  #limited(live: LiveState): LiveState {
    return live.log.end.position === this.#range.end.position ? live : { ...live, log: logStateOf(this.#range) };
  }

  #isStored({ status, details }: JobChange): boolean {
    const end = isFinalState(status.state) ? details.output?.end : undefined;
    return end === undefined || this.#isCut || end.position <= this.#range.end.position;
  }

  #changed(change: JobChange): void {
    const report = () => this.#events?.changed(change);
    if (this.#isStored(change)) report();
    else this.#when(change.details.output?.end ?? LOG_START, report);
  }

  #when({ position }: LogPosition, run: () => void): void {
    if (this.#isCut || position <= this.#range.end.position) run();
    else this.#held.push({ position, run });
  }

  async #store(piece: LogPiece, data: Uint8Array): Promise<void> {
    if (piece.id !== this.#job || this.#retry !== undefined) return;
    if (this.#isResumed && !this.#replica.follows(piece)) return;
    this.#isResumed = false;
    try {
      await this.#replica.append(piece, data);
      if (data.length > 0) this.#noteStored(piece);
      if (piece.range !== undefined) await this.#grew(piece.range);
      if (piece.isLast) this.#cut();
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#events?.failed(asError(error));
      this.#isFailing = true;
      this.#pause();
    }
  }

  /** Tells the host now and then up to where its output is stored. */
  #noteStored(piece: LogPiece): void {
    this.#notNoted += 1;
    if (this.#notNoted < PIECES_PER_NOTE) return;
    this.#notNoted = 0;
    this.notify("storedOutput", piece.id, this.#replica.place ?? piece);
  }

  /** Has the host send from here again later, such as when the disk is full. */
  #pause(): void {
    this.notify("unwatch", this.#job);
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#isResumed = true;
      this.notify("sendOutput", this.#job, this.#replica.place);
    }, RETRY_MS);
  }

  async #grew({ start, end }: Range): Promise<void> {
    const hasLostBeginning = start.position > this.#range.start.position;
    this.#range = { start, end };
    this.#events?.grew(this.#job, this.#range);
    if (hasLostBeginning) await this.#replica.dropBefore(start.position);
    this.#runHeld();
  }

  #cut(): void {
    this.#isCut = true;
    this.#runHeld();
  }

  #runHeld(): void {
    const isDue = ({ position }: { readonly position: number }) => this.#isCut || position <= this.#range.end.position;
    const due = this.#held.filter(isDue);
    this.#held = this.#held.filter((held) => !isDue(held));
    for (const { run } of due) run();
  }
}
