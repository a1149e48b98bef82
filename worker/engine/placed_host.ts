/** The host of one job on a machine of an engine: what is known of it, with and without a link. */
import { defined } from "../../base/defined.ts";
import { HostConnection } from "../host/host_connection.ts";
import type { HostLink } from "../host/link.ts";
import { logStateOf } from "../host/node/log_state.ts";
import type { Dial } from "../host/node/node_messages.ts";
import type { PlacementStatus } from "../job/spec.ts";
import type { StoredPlacement } from "../job/status_details.ts";
import { LOG_START, type LogRange } from "../output/cursor.ts";
import type { LogReplica } from "../output/log_replica.ts";
import type { StopOptions } from "../process/options.ts";
import type { EngineRef, EngineWord } from "./engine.ts";
import type { Sight } from "./verdict.ts";
import { type WaitingCalls, WaitingLink } from "./waiting_link.ts";

/** The host of one job. Its instance is the random name of the job in the engine. */
export class PlacedHost extends HostConnection {
  /** The id of the job. */
  readonly job: string;
  #placement: StoredPlacement;
  readonly #waiting: WaitingLink;
  #words: readonly EngineWord[] = [];
  #hasHeard = false;
  #wordsText = "";
  #changedAtMs = performance.now();
  #linkChangedAtMs = performance.now();
  #unreachableSince: Date | undefined;
  /** How often the job was submitted. */
  submits = 0;
  /** The submission that has no answer yet. */
  submitting: Promise<void> | undefined;
  /** True when no host may be accepted any more. */
  isOver = false;
  /** The part of the job's log that can be read here. */
  range: Readonly<LogRange> = { start: LOG_START, end: LOG_START };
  /** The copy of the job's log. Undefined before the first link. */
  replica: LogReplica | undefined;
  /** The stop that was requested while there was no link. */
  stop: StopOptions | undefined;
  /** Resolves when the last connection was handled. A log has one writer. */
  handled: Promise<void> = Promise.resolve();

  /** @param stored what an earlier supervisor has stored */
  constructor(instance: string, job: string, placement: StoredPlacement, calls: Pick<WaitingCalls, "start" | "stop">) {
    super(instance);
    this.job = job;
    this.#placement = placement;
    if (placement.run !== undefined) this.#unreachableSince = new Date();
    this.#waiting = new WaitingLink(instance, {
      start: (start) => calls.start(start),
      stop: (options) => calls.stop(options),
      log: () => logStateOf(this.range),
      unreachable: () => this.isUnclaimed ? undefined : this.unreachableText,
    });
  }

  /** The link to the host, or one that answers while there is none. */
  override get link(): HostLink {
    return this.open ?? this.#waiting;
  }

  override get isUnclaimed(): boolean {
    return this.#placement.run === undefined;
  }

  override get keepsStop(): boolean {
    return this.open === undefined;
  }

  override get placement(): StoredPlacement {
    return this.#placement;
  }

  override get placementStatus(): PlacementStatus {
    const { engine, handle, node } = this.#placement;
    const waitsFor = this.isUnclaimed && !this.isOver ? this.#wordsText || "the answer of the engine" : undefined;
    const unreachableSince = this.isOver ? undefined : this.#unreachableSince;
    return { engine, ...defined({ handle, node, waitsFor, unreachableSince }) };
  }

  override get name(): string {
    const { node = "no machine yet", handle = "none" } = this.#placement;
    return `of job "${this.job}" on "${node}" (handle ${handle})`;
  }

  /** The reason why a host that has begun does not answer. */
  get unreachableText(): string {
    return `its machine "${this.#placement.node}" cannot be reached`;
  }

  /** How long the host has had no link, in milliseconds. 0 while it has one. */
  get silentMs(): number {
    return this.open === undefined ? performance.now() - this.#linkChangedAtMs : 0;
  }

  /** The job in the engine. */
  get ref(): EngineRef {
    return { id: this.instance, ...defined({ handle: this.#placement.handle }) };
  }

  /** Notes the engine's own number. */
  submitted(handle: string): void {
    this.submits += 1;
    this.#placement = { ...this.#placement, handle };
    this.#changedAtMs = performance.now();
  }

  /** Returns whether this host process may start the job, or has started it. */
  mayBe({ run }: Dial): boolean {
    return this.#placement.run === undefined || this.#placement.run === run;
  }

  /** Lets this host process alone start the job. Returns a function that takes that back. */
  claim({ run, node, handle }: Dial): () => void {
    const before = this.#placement;
    this.#placement = { ...before, run, node, ...defined({ handle }) };
    this.#unreachableSince = new Date();
    return () => {
      this.#placement = before;
      this.#unreachableSince = undefined;
    };
  }

  override use(link: HostLink): void {
    super.use(link);
    this.#unreachableSince = undefined;
    this.#changedAtMs = this.#linkChangedAtMs = performance.now();
  }

  override drop(): void {
    super.drop();
    this.#unreachableSince = new Date();
    this.#changedAtMs = this.#linkChangedAtMs = performance.now();
  }

  /** The last words of the engine about the job. */
  get words(): readonly EngineWord[] {
    return this.#words;
  }

  /** The machine: that of its host, or else the last one that the engine has named. */
  get node(): string | undefined {
    return this.#placement.node ?? this.#words.findLast(({ node }) => node !== undefined)?.node;
  }

  /** Takes what the engine says of the job. Returns whether that is news. */
  heard(words: readonly EngineWord[]): boolean {
    const text = words.map(waitText).join(", ");
    // Nobody knows for how long the first answer has been true.
    const isSame = this.#hasHeard && text === this.#wordsText && words.length === this.#words.length &&
      words.every(({ nodeAnswers }, at) => nodeAnswers === this.#words[at]?.nodeAnswers);
    this.#hasHeard = true;
    this.#words = words;
    this.#wordsText = text;
    // The answer to the submission was lost.
    const handle = this.#placement.handle ?? words.findLast(({ handle }) => handle !== undefined)?.handle;
    this.#placement = { ...this.#placement, ...defined({ handle }) };
    if (!isSame) this.#changedAtMs = performance.now();
    return !isSame;
  }

  /** The facts that decide what became of the job. */
  get sight(): Sight {
    return {
      isClaimed: !this.isUnclaimed,
      isLinked: this.open !== undefined,
      words: this.#words,
      unchangedMs: performance.now() - this.#changedAtMs,
      submits: this.submits,
    };
  }
}

/** Returns the words for a job that waits. A host that cannot reach the server is the most common reason at this place. */
function waitText({ phase, text, node }: EngineWord): string {
  return phase === "PLACED" && node !== undefined ? `${text}, its host on "${node}" has not connected yet` : text;
}
