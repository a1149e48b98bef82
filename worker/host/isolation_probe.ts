/** Finds out whether this host can isolate jobs, by isolating a program that prints its mounts. */
import { errorMessage } from "../../base/error_message.ts";
import type { Isolation } from "../../base/job_options/table.ts";
import { NotEnforceableError } from "../errors.ts";
import { ISOLATE_OTHERS, mayIsolateOthers } from "../launch/host.ts";
import { forbiddenWritableMounts } from "../launch/isolation.ts";
import { Process } from "../process/process.ts";

/** The time limit of a probe. A probe takes about 10 ms. */
const MAX_PROBE_MS = 10_000;

/** The user of a STRICT probe of root, which may not run as root: "nobody", as on every system; user_namespaces(7). */
const NOBODY = { credentials: { uid: 65_534, gid: 65_534, groups: [] }, env: {} };

/** Probes each level of isolation once. After a failure the next check probes again, because the host may have changed. */
export class IsolationProbe {
  readonly #probes = new Map<Isolation, Promise<void>>();

  /** @throws {NotEnforceableError} when this host cannot isolate a job, with the reason */
  async check(isolation: Isolation): Promise<void> {
    const result = this.#probes.get(isolation) ?? probe(isolation);
    this.#probes.set(isolation, result);
    try {
      await result;
    } catch (error) {
      if (this.#probes.get(isolation) === result) this.#probes.delete(isolation);
      throw error;
    }
  }

  /** Returns for each level of isolation why this host cannot provide it; an empty text when it can. */
  async reasons(): Promise<Readonly<Record<Isolation, string>>> {
    const why = (isolation: Isolation) => this.check(isolation).then(() => "", errorMessage);
    return { PRIVATE: await why("PRIVATE"), STRICT: await why("STRICT") };
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
    const why = "error" in status && status.error !== undefined ? status.error : `the probe ended in ${status.state}`;
    throw refused(`the server lacks the permission, or its system does not support it: ${why}`);
  }
  // Other versions of mount(8) may skip a mount without an error.
  if (isolation === "STRICT" && forbiddenWritableMounts(mountinfo).length > 0) {
    throw refused("mount(8) of its system leaves directories writable");
  }
}
