/** Whether jobs can be isolated on this host, found out by isolating a program that does nothing. */
import type { Isolation } from "./command.ts";
import { NotEnforceableError } from "./errors.ts";
import { Process } from "./process.ts";

/** It takes some ten milliseconds; a host on which it takes longer than this cannot. */
const MAX_PROBE_MS = 10_000;

/** Tries each isolation once; one that failed is tried again, for a host can be mended. */
export class IsolationProbe {
  readonly #tried = new Map<Isolation, Promise<void>>();

  /** @throws {NotEnforceableError} with the reason why this isolation cannot be had here */
  async check(isolation: Isolation): Promise<void> {
    const tried = this.#tried.get(isolation) ?? probe(isolation);
    this.#tried.set(isolation, tried);
    try {
      await tried;
    } catch (error) {
      if (this.#tried.get(isolation) === tried) this.#tried.delete(isolation);
      throw error;
    }
  }
}

async function probe(isolation: Isolation): Promise<void> {
  const status = await new Process("true", [], { isolation, timeoutMs: MAX_PROBE_MS, graceMs: 0 }).start();
  if (status.state === "EXITED" && status.exitCode === 0) return;
  const [, why] = "error" in status ? /\((.*)\)$/.exec(status.error ?? "") ?? [] : [];
  throw new NotEnforceableError(
    `Cannot isolate a job as "${isolation}" here: the server may not, or its system cannot (${why ?? status.state})`,
  );
}
