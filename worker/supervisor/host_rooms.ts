/** Divides the disk space that is left for the output of running jobs among the job hosts. */
import type { HostConnection } from "../host/host_connection.ts";
import type { HostedJobState } from "../host/link.ts";
import type { OutputBudget } from "../output/limit.ts";

/** The space that an older host gets beyond what it asks for, in bytes, so that it does not ask for each chunk. */
const AHEAD_BYTES = 1_048_576;

/** The options of the rooms. */
export interface HostRoomsOptions {
  /** The space of stored jobs and of the output of ended jobs, and the limit. */
  readonly budget: OutputBudget;
  /** The host for new jobs. */
  readonly current: () => HostConnection | undefined;
  /** Returns the bytes of the output of the running jobs of a host, as far as they are known. */
  readonly runningBytes: (host: HostConnection) => number;
  /** Removes ended jobs, as many as have these bytes. */
  readonly makeRoom: (bytes: number) => void;
}

/**
 * The rooms of all hosts. The host for new jobs has all space that nobody else has. An older host has what its jobs use,
 * and gets more when it asks.
 */
export class HostRooms {
  readonly #options: HostRoomsOptions;
  /** The rooms of the older hosts. */
  readonly #granted = new Map<HostConnection, number>();
  /** The room that each host has been sent. */
  readonly #sent = new Map<HostConnection, number | undefined>();
  #isScheduled = false;

  constructor(options: HostRoomsOptions) {
    this.#options = options;
  }

  /** Sets the first room of a host. */
  attached(host: HostConnection, jobs: readonly HostedJobState[]): void {
    this.#granted.set(host, jobs.reduce((sum, job) => sum + usedBytes(job), 0));
    this.#send(host);
    this.update();
  }

  /** Forgets a host that has died. */
  remove(host: HostConnection): void {
    this.#granted.delete(host);
    this.#sent.delete(host);
    this.update();
  }

  /** Sets the room of the host for new jobs after the space of the others has changed. Many changes make one call. */
  update(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      const host = this.#options.current();
      if (host !== undefined && this.#roomOf(host) !== this.#sent.get(host)) this.#send(host);
    });
  }

  /** Makes room for a host that needs more, and answers with its room. The same room as before means: there is no more. */
  needsRoom(host: HostConnection, bytes: number): void {
    const { current, budget, makeRoom } = this.#options;
    budget.raise();
    if (host === current()) {
      const missing = bytes + (this.#sent.get(host) ?? 0) - (this.#roomOf(host) ?? Infinity);
      // A host may ask although its room has grown, because it has not been sent the new one yet.
      if (missing > 0) makeRoom(missing);
    } else {
      const free = () => budget.maxBytes - budget.usedBytes - this.#grantedExcept(host) - this.#bytesOfCurrent();
      const granted = this.#granted.get(host) ?? 0;
      if (granted + bytes > free()) makeRoom(granted + bytes - free());
      if (granted + bytes <= free()) this.#granted.set(host, Math.min(free(), granted + bytes + AHEAD_BYTES));
      this.update();
    }
    this.#send(host);
  }

  /** Returns undefined when there is no limit. */
  #roomOf(host: HostConnection): number | undefined {
    const { current, budget } = this.#options;
    if (budget.maxBytes === Infinity) return undefined;
    const left = budget.maxBytes - budget.usedBytes - this.#grantedExcept(host);
    return Math.max(0, host === current() ? left : this.#granted.get(host) ?? 0);
  }

  #grantedExcept(host: HostConnection): number {
    let sum = 0;
    for (const [other, bytes] of this.#granted) if (other !== host && other !== this.#options.current()) sum += bytes;
    return sum;
  }

  #bytesOfCurrent(): number {
    const host = this.#options.current();
    return host === undefined ? 0 : this.#options.runningBytes(host);
  }

  #send(host: HostConnection): void {
    const room = this.#roomOf(host);
    this.#sent.set(host, room);
    host.open?.setRoom(room);
  }
}

/** Returns the bytes of the output of a job. */
function usedBytes({ changes, live }: HostedJobState): number {
  return live?.log.end.position ?? changes.at(-1)?.details.outputBytes ?? 0;
}
