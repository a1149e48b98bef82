/** The supervisor that receives the events of a job host. There is at most one. */
import type { HostEvents } from "./link.ts";

/** Gives a supervisor an event. */
type Event = (events: HostEvents) => void;

/** The supervisor that is attached. */
export class AttachedSupervisor {
  readonly #onError: (error: unknown) => void;
  #events: HostEvents | undefined;
  /** The events since `attach`, until its caller had the chance to read the result. */
  #held: Event[] | undefined;

  /** @param onError receives what a supervisor throws, which must not stop the job that it hears of */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** True while a supervisor is attached. */
  get isAttached(): boolean {
    return this.#events !== undefined;
  }

  /** Tells whether this supervisor is attached. */
  is(events: HostEvents): boolean {
    return this.#events === events;
  }

  /** Attaches a supervisor in place of an earlier one. It gets its first event in the next turn of the event loop. */
  attach(events: HostEvents): void {
    this.#events = events;
    const held: Event[] = this.#held = [];
    setImmediate(() => this.#release(held));
  }

  /** Detaches the supervisor. */
  detach(): void {
    this.#events = undefined;
    this.#held = undefined;
  }

  /** Gives the supervisor an event. Without a supervisor, has no effect. */
  emit(event: Event): void {
    if (this.#held !== undefined) return void this.#held.push(event);
    if (this.#events === undefined) return;
    try {
      event(this.#events);
    } catch (error) {
      this.#onError(error);
    }
  }

  #release(held: readonly Event[]): void {
    if (this.#held !== held) return;
    this.#held = undefined;
    for (const event of held) this.emit(event);
  }
}
