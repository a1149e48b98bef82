/** Whether jobs can be isolated on this host, found out by isolating a program that says what it sees. */
import type { Isolation } from "../../base/job_options/table.ts";
import { NotEnforceableError } from "../errors.ts";
import { ISOLATE_OTHERS, mayIsolateOthers } from "../launch/host.ts";
import { leftWritable } from "../launch/isolation.ts";
import { Process } from "../process/process.ts";

/** It takes some ten milliseconds; a host on which it takes longer than this cannot. */
const MAX_PROBE_MS = 10_000;

/** The probe of root, who may not be isolated as `STRICT`: a user whom every system keeps for nobody, user_namespaces(7). */
const NOBODY = { credentials: { uid: 65_534, gid: 65_534, groups: [] }, env: {} };

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
  const asNobody = isolation === "STRICT" && Deno.uid() === 0;
  if (asNobody && !mayIsolateOthers()) throw new NotEnforceableError(ISOLATE_OTHERS);
  let mountinfo = "";
  const decoder = new TextDecoder();
  const status = await new Process("cat", ["/proc/self/mountinfo"], {
    isolation,
    timeoutMs: MAX_PROBE_MS,
    graceMs: 0,
    output: { append: (_, chunk) => Promise.resolve(void (mountinfo += decoder.decode(chunk, { stream: true }))) },
    ...(asNobody ? { runAs: NOBODY } : {}),
  }).start();
  const refused = (why: string) => new NotEnforceableError(`Cannot isolate a job as "${isolation}" here: ${why}`);
  if (status.state !== "EXITED" || status.exitCode !== 0) {
    const why = "error" in status && status.error !== undefined ? status.error : `the attempt ended in ${status.state}`;
    throw refused(`the server may not, or its system cannot: ${why}`);
  }
  // mount(8) of another version may leave out what it takes for done.
  if (isolation === "STRICT" && leftWritable(mountinfo).length > 0) {
    throw refused("mount(8) of its system leaves directories writable");
  }
}
