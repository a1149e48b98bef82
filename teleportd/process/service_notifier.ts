/** Keeps the service manager informed: ready, reloading, stopping, the number of jobs, and signs of life. */
import type { ListeningServer } from "../run.ts";
import { monotonicUs, type ServiceManager } from "./service_manager.ts";

/** The shortest time between two status lines in milliseconds. Jobs may start and end hundreds of times a second. */
const STATUS_PERIOD_MS = 1_000;

/** Notifies one service manager about one server until it is disposed of. Without changes and a watchdog it has no timer. */
export class ServiceNotifier implements Disposable {
  readonly #manager: ServiceManager;
  #server: ListeningServer | undefined;
  #statusTimer: ReturnType<typeof setTimeout> | undefined;
  #watchdogTimer: ReturnType<typeof setInterval> | undefined;
  #isStopping = false;

  constructor(manager: ServiceManager) {
    this.#manager = manager;
  }

  /**
   * Reports that the server takes calls.
   *
   * @returns false when the manager cannot be reached. systemd would then stop the server after its start timeout.
   */
  ready(server: ListeningServer): boolean {
    this.#server = server;
    const isSent = this.#manager.notify("READY=1");
    this.changed();
    const { watchdogMs } = this.#manager;
    if (watchdogMs !== undefined) {
      this.#watchdogTimer = setInterval(() => this.#manager.notify("WATCHDOG=1"), watchdogMs);
    }
    return isSent;
  }

  /** Reports the number of jobs and watchers within a second. */
  changed(): void {
    if (this.#server === undefined || this.#isStopping) return;
    this.#statusTimer ??= setTimeout(() => void this.#sendStatus(), STATUS_PERIOD_MS);
  }

  /** Reports a reload from its start to its end. A server that stops stays in that state. */
  async reloading(reload: Promise<void>): Promise<void> {
    if (this.#isStopping) return;
    const time = monotonicUs();
    this.#manager.notify(time === undefined ? "RELOADING=1" : `RELOADING=1\nMONOTONIC_USEC=${time}`);
    await reload;
    if (!this.#isStopping) this.#manager.notify("READY=1");
  }

  /** Reports that the server ends its jobs and then itself. */
  stopping(): void {
    this.#isStopping = true;
    this.#manager.notify("STOPPING=1\nSTATUS=Stopping: jobs are being ended");
  }

  async #sendStatus(): Promise<void> {
    this.#statusTimer = undefined;
    const counts = await this.#server?.counts().catch(() => undefined);
    if (counts === undefined || this.#isStopping) return;
    this.#manager.notify(`STATUS=Jobs running: ${counts.runningJobs}, watchers: ${counts.watchers}`);
  }

  [Symbol.dispose](): void {
    this.#isStopping = true;
    clearTimeout(this.#statusTimer);
    clearInterval(this.#watchdogTimer);
  }
}
