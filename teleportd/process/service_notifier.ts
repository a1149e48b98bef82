/** Keeps the service manager informed: ready, reloading, stopping, the number of jobs, and signs of life. */
import { monotonicUs, type ServiceManager } from "./service_manager.ts";

/** The shortest time between two status lines in milliseconds. Jobs may start and end hundreds of times a second. */
const STATUS_PERIOD_MS = 1_000;

/** Returns the status line of a program now, such as the number of jobs. */
export type StatusLine = () => Promise<string>;

/** Notifies one service manager about one program until it is disposed of. Without changes and a watchdog it has no timer. */
export class ServiceNotifier implements Disposable {
  readonly #manager: ServiceManager;
  #statusLine: StatusLine | undefined;
  #statusTimer: ReturnType<typeof setTimeout> | undefined;
  #watchdogTimer: ReturnType<typeof setInterval> | undefined;
  #isStopping = false;
  /** The manager listens only to the main process of the service. */
  #isMain = true;

  constructor(manager: ServiceManager) {
    this.#manager = manager;
  }

  /**
   * Reports that the program takes calls.
   *
   * @param isNews false for a process that becomes the main one of a service that is ready
   * @returns false when the manager cannot be reached. systemd would then stop the server after its start timeout.
   */
  ready(statusLine: StatusLine, isNews = true): boolean {
    this.#statusLine = statusLine;
    const isSent = !isNews || this.#manager.notify("READY=1");
    this.changed();
    const { watchdogMs } = this.#manager;
    if (watchdogMs !== undefined) {
      this.#watchdogTimer = setInterval(() => this.#manager.notify("WATCHDOG=1"), watchdogMs);
    }
    return isSent;
  }

  /** Reports the status line within a second. */
  changed(): void {
    if (this.#statusLine === undefined || this.#isStopping || !this.#isMain) return;
    this.#statusTimer ??= setTimeout(() => void this.#sendStatus(), STATUS_PERIOD_MS);
  }

  /** Reports a reload from its start to its end. A program that stops stays in that state. */
  async reloading(reload: Promise<void>): Promise<void> {
    if (this.#isStopping) return;
    const time = monotonicUs();
    this.#manager.notify(time === undefined ? "RELOADING=1" : `RELOADING=1\nMONOTONIC_USEC=${time}`);
    await reload;
    if (!this.#isStopping) this.#manager.notify("READY=1");
  }

  /** Makes another process the main one of the service. From then on this one reports nothing. */
  handOver(pid: number): void {
    this.#manager.notify(`MAINPID=${pid}`);
    this.#isMain = false;
  }

  /** This process is the main one of the service again. */
  takeOver(): void {
    this.#isMain = true;
    this.changed();
  }

  /**
   * Reports that the program stops.
   *
   * @param text what happens until it has ended
   */
  stopping(text: string): void {
    this.#isStopping = true;
    if (this.#isMain) this.#manager.notify(`STOPPING=1\nSTATUS=Stopping: ${text}`);
  }

  async #sendStatus(): Promise<void> {
    this.#statusTimer = undefined;
    const text = await this.#statusLine?.().catch(() => undefined);
    if (text === undefined || this.#isStopping || !this.#isMain) return;
    this.#manager.notify(`STATUS=${text}`);
  }

  [Symbol.dispose](): void {
    this.#isStopping = true;
    clearTimeout(this.#statusTimer);
    clearInterval(this.#watchdogTimer);
  }
}
