/**
 * The main process of the service that job hosts share. The service manager ends all of them with it. So a job host hands
 * over before it ends, and when it has started another one. Source: sd_notify(3), `MAINPID=`.
 */
import { findInstance, findInstances } from "./instance_directory.ts";

/** Tells the service manager which process is the main one. Only the main process can. */
export interface ServiceMain {
  /** Makes another process the main one. */
  readonly handOver: (pid: number) => void;
  /** This process is the main one again. */
  readonly takeOver: () => void;
}

/** Decides for one job host when it hands over. */
export class MainProcess {
  readonly #data: string;
  readonly #instance: string;
  readonly #service: ServiceMain;
  #isMain = true;

  /**
   * @param data the data directory
   * @param instance this job host
   */
  constructor(data: string, instance: string, service: ServiceMain) {
    this.#data = data;
    this.#instance = instance;
    this.#service = service;
  }

  /** Hands over to a job host that this one has started. */
  async handOverTo(instance: string): Promise<void> {
    const { info } = await findInstance(this.#data, instance);
    if (info !== undefined) this.#handOver(info.pid);
  }

  /** Hands over to the newest other job host, before this one ends. */
  async handOverToOther(): Promise<void> {
    if (!this.#isMain) return;
    const others = (await findInstances(this.#data)).filter(({ isAlive, info, instance }) =>
      isAlive && info?.stays === true && instance !== this.#instance
    );
    const pid = others.at(-1)?.info?.pid;
    if (pid !== undefined) this.#handOver(pid);
  }

  /** A server uses this job host again. The other one may hand over to it, and it does not learn when. */
  mayBeMain(): void {
    if (this.#isMain) return;
    this.#isMain = true;
    this.#service.takeOver();
  }

  #handOver(pid: number): void {
    this.#isMain = false;
    this.#service.handOver(pid);
  }
}
