/** Cgroups for tests: a made-up tree that is there everywhere, and real ones where this host lets us. */
import { join } from "node:path";
import type { Controller } from "../../worker/cgroup/limits.ts";
import { CgroupUnavailableError } from "../../worker/cgroup/delegation.ts";
import { CgroupTree } from "../../worker/cgroup/tree.ts";

/** A directory that looks as a delegated cgroup does to who may write to it. What is written there can be read back. */
export async function fakeBase(controllers = "cpuset cpu io memory pids"): Promise<string> {
  const base = await Deno.makeTempDir({ prefix: "teleport-test-cgroup-" });
  await Deno.writeTextFile(join(base, "cgroup.controllers"), `${controllers}\n`);
  await Deno.writeTextFile(join(base, "cgroup.subtree_control"), "\n");
  await Deno.writeTextFile(join(base, "cgroup.procs"), `${Deno.pid}\n`);
  return base;
}

/** Why there can be no real cgroups here; undefined where there can. And why each controller is lacking that is. */
export const { whyNoCgroups, lacking } = (() => {
  try {
    using cgroups = realTree();
    return { whyNoCgroups: undefined, lacking: cgroups.lacking };
  } catch (error) {
    if (error instanceof CgroupUnavailableError) return { whyNoCgroups: error.message, lacking: new Map() };
    throw error;
  }
})();

/** A tree of real cgroups, below the one that this process is in. */
export function realTree(): CgroupTree {
  return CgroupTree.open({ name: `teleport-test-${crypto.randomUUID()}` });
}

/**
 * Adds a test on real cgroups, which gets a tree of its own and must leave it empty.
 *
 * @param needs the controller that it needs, where it needs one
 */
export function cgroupTest(name: string, run: (cgroups: CgroupTree) => Promise<void>, needs?: Controller): void {
  const why = whyNoCgroups ?? (needs === undefined ? undefined : lacking.get(needs));
  Deno.test(why === undefined ? name : `${name} (skipped: ${why})`, { ignore: why !== undefined }, async () => {
    using cgroups = realTree();
    try {
      await run(cgroups);
      const left = [...Deno.readDirSync(cgroups.directory)].filter(({ isDirectory }) => isDirectory);
      if (left.length > 0) throw new Error(`Cgroups are left: ${left.map(({ name }) => name)}`);
    } finally {
      await cgroups.clean();
    }
  });
}
