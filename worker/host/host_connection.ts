/** The connection of a supervisor to one job host, over all its links: a lost link is replaced while the host lives. */
import { HostUnavailableError } from "../errors.ts";
import type { Usage } from "../process/usage.ts";
import type { PlacementStatus } from "../job/spec.ts";
import type { StoredPlacement } from "../job/status_details.ts";
import type { HostInfo, HostLink, LiveState } from "./link.ts";

/** The connection to one job host. */
export class HostConnection {
  /** Identifies one run of the host. */
  readonly instance: string;
  #info: HostInfo | undefined;
  #link: HostLink | undefined;
  /** False while the host does not answer, or cannot be reached. */
  doesAnswer = true;
  #why = "the link to it is not open yet";
  #replacing: Promise<void> | undefined;
  /** The link that was asked and has not answered. */
  #asked: HostLink | undefined;

  constructor(instance: string) {
    this.instance = instance;
  }

  /** The properties of the host. Undefined before the first link. */
  get info(): HostInfo | undefined {
    return this.#info;
  }

  /** The link. Undefined while no link is open. */
  get open(): HostLink | undefined {
    return this.#link;
  }

  /**
   * The link, for a call.
   *
   * @throws {HostUnavailableError} while no link is open
   */
  get link(): HostLink {
    if (this.#link === undefined) throw new HostUnavailableError(this.#why);
    return this.#link;
  }

  /** Why nothing is known of the jobs of the host now. Undefined while it answers. */
  get outage(): HostUnavailableError | undefined {
    if (this.doesAnswer) return undefined;
    return new HostUnavailableError(this.#link === undefined ? this.#why : `${this.name} does not answer`);
  }

  /** The place in an engine, as it is stored with the job. Undefined for a host of this machine. */
  get placement(): StoredPlacement | undefined {
    return undefined;
  }

  /** The place in an engine, for people. Undefined for a host of this machine. */
  get placementStatus(): PlacementStatus | undefined {
    return undefined;
  }

  /** True while no host can have started the job, so that a stop needs no host. */
  get isUnclaimed(): boolean {
    return false;
  }

  /** True while a stop that is requested now is carried out later, so that it needs no answer of the host. */
  get keepsStop(): boolean {
    return false;
  }

  /** The host in messages, such as `process 42 (instance "a1")`. */
  get name(): string {
    const instance = `instance "${this.instance}"`;
    return this.#info === undefined ? instance : `process ${this.#info.pid} (${instance})`;
  }

  /** Returns the live states of running jobs. Empty while the host cannot be reached. */
  async statesOf(ids: readonly string[]): Promise<Readonly<Record<string, LiveState>>> {
    return await this.#link?.states(ids).catch(unlessUnavailable) ?? {};
  }

  /** Returns what a job uses now. Undefined when it is not running, and while the host cannot be reached. */
  async usageOf(id: string): Promise<Usage | undefined> {
    return await this.#link?.usage(id).catch(unlessUnavailable);
  }

  /** Asks the host for an answer, unless it is being asked. Its link notices when none comes. */
  ask(): void {
    const link = this.#link;
    if (link === undefined || link === this.#asked) return;
    this.#asked = link;
    void link.work().catch(() => {}).finally(() => {
      if (this.#asked === link) this.#asked = undefined;
    });
  }

  /**
   * Waits after a failed call until it is known what became of the host. When its link was lost, the first try to replace
   * it is over then, and the jobs of a dead host are recovered.
   */
  async replaced(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve)); // The calls of a link fail before its end is noted.
    await this.#replacing;
  }

  /** Uses a link from now on. */
  use(link: HostLink): void {
    this.#link = link;
    this.#info = link.info;
  }

  /**
   * Notes that the link is lost.
   *
   * @param replacing resolves when the first try to replace it is over, and the jobs of a dead host are recovered;
   *   without it, nothing is tried
   */
  drop(replacing = Promise.resolve()): void {
    this.#link = undefined;
    this.#replacing = replacing;
    this.#why = `the link to ${this.name} was lost`;
  }

  /** Notes that the host has died. Its jobs are recovered next. */
  noteDeath(): void {
    this.#why = `${this.name} has died, and its jobs are not ended yet`;
  }
}

function unlessUnavailable(error: unknown): undefined {
  if (!(error instanceof HostUnavailableError)) throw error;
  return undefined;
}
