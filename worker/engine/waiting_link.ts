/** The link to a host that is not there: the job waits for its machine, or its machine cannot be reached. */
import { HostUnavailableError, JobNotRunningError, NotEnforceableError, type TeleportError } from "../errors.ts";
import type {
  HostedJobState,
  HostInfo,
  HostLink,
  HostStart,
  HostWork,
  LiveState,
  LogState,
  RecoveredJob,
} from "../host/link.ts";
import type { InputResult } from "../process/stdin.ts";
import type { StopOptions } from "../process/options.ts";

/** The calls that need no host. */
export interface WaitingCalls {
  /** Has the job placed. */
  start(start: HostStart): Promise<void>;
  stop(options: StopOptions): Promise<void>;
  /** Returns the state of the log as far as it has arrived. */
  log(): LogState;
  /** Returns the reason why there is no host; undefined when the host has not begun. */
  unreachable(): string | undefined;
}

/** A link without a host. */
export class WaitingLink implements HostLink {
  readonly info: HostInfo;
  readonly closed: Promise<Error | undefined> = new Promise(() => {});
  readonly #calls: WaitingCalls;

  constructor(instance: string, calls: WaitingCalls) {
    this.info = { instance, pid: 0, startedAt: new Date(), version: "", cgroupText: "" };
    this.#calls = calls;
  }

  start(start: HostStart): Promise<void> {
    return this.#calls.start(start);
  }

  stop(_id: string, options: StopOptions): Promise<void> {
    return this.#calls.stop(options);
  }

  signal(id: string): Promise<void> {
    return this.#refuse(id, "be sent a signal");
  }

  pause(id: string): Promise<void> {
    return this.#refuse(id, "be paused");
  }

  resume(id: string): Promise<void> {
    return this.#refuse(id, "be resumed");
  }

  resize(id: string): Promise<void> {
    return this.#refuse(id, "be resized");
  }

  writeInput(id: string): Promise<InputResult> {
    return this.#refuse(id, "be given input");
  }

  usage(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  states(): Promise<Readonly<Record<string, LiveState>>> {
    return Promise.resolve({});
  }

  watch(): Promise<LogState> {
    return Promise.resolve(this.#calls.log());
  }

  unwatch(): void {}
  forget(): void {}
  setRoom(): void {}
  retire(): void {}

  work(): Promise<HostWork> {
    return this.#unavailable();
  }

  attach(): Promise<readonly HostedJobState[]> {
    return this.#unavailable();
  }

  check(): Promise<void> {
    return this.#unavailable();
  }

  isolations(): Promise<never> {
    return this.#unavailable();
  }

  recover(): Promise<RecoveredJob> {
    return this.#unavailable();
  }

  discard(): Promise<void> {
    return this.#unavailable();
  }

  deleteOutput(): Promise<void> {
    return this.#unavailable();
  }

  stopJobs(): Promise<void> {
    return this.#unavailable();
  }

  succeed(): Promise<string> {
    return Promise.reject(new NotEnforceableError("Cannot start another job host there"));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #refuse(id: string, action: string): Promise<never> {
    const why = this.#calls.unreachable();
    const error: TeleportError = why === undefined
      ? new JobNotRunningError(`Job ${JSON.stringify(id)}`, "STARTING", action)
      : new HostUnavailableError(why);
    return Promise.reject(error);
  }

  #unavailable(): Promise<never> {
    return Promise.reject(new HostUnavailableError(this.#calls.unreachable() ?? "the job waits for its machine"));
  }
}
