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

  constructor(manager: ServiceManager) {
    this.#manager = manager;
  }

  /**
   * Reports that the program takes calls.
   *
   * @param mainPid given by a program that takes over from another one at the manager
   * @returns false when the manager cannot be reached. systemd would then stop the server after its start timeout.
   */
  ready(statusLine: StatusLine, mainPid?: number): boolean {
    this.#statusLine = statusLine;
    const isSent = this.#manager.notify(mainPid === undefined ? "READY=1" : `MAINPID=${mainPid}\nREADY=1`);
    this.changed();
    const { watchdogMs } = this.#manager;
    if (watchdogMs !== undefined) {
      this.#watchdogTimer = setInterval(() => this.#manager.notify("WATCHDOG=1"), watchdogMs);
    }
    return isSent;
  }

  /** Reports the status line within a second. */
  changed(): void {
    if (this.#statusLine === undefined || this.#isStopping) return;
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

  /**
   * Reports that the program stops.
   *
   * @param text what happens until it has ended
   */
  stopping(text: string): void {
    this.#isStopping = true;
    this.#manager.notify(`STOPPING=1\nSTATUS=Stopping: ${text}`);
  }

  async #sendStatus(): Promise<void> {
    this.#statusTimer = undefined;
    const text = await this.#statusLine?.().catch(() => undefined);
    if (text === undefined || this.#isStopping) return;
    this.#manager.notify(`STATUS=${text}`);
  }

  [Symbol.dispose](): void {
    this.#isStopping = true;
    clearTimeout(this.#statusTimer);
    clearInterval(this.#watchdogTimer);
  }
}
