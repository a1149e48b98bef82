/** Cgroups for tests: a fake tree that works everywhere, and real cgroups where the host allows them. */
import { join } from "node:path";
import type { Controller } from "../../worker/cgroup/limits.ts";
import { CgroupUnavailableError } from "../../worker/cgroup/delegation.ts";
import { CgroupTree } from "../../worker/cgroup/tree.ts";
import { skippedIf } from "./needs.ts";

/** Makes a directory with the files of a delegated cgroup. A test can read back what the code writes. */
export async function fakeBase(controllers = "cpuset cpu io memory pids"): Promise<string> {
  const base = await Deno.makeTempDir({ prefix: "teleport-test-cgroup-" });
  await Deno.writeTextFile(join(base, "cgroup.controllers"), `${controllers}\n`);
  await Deno.writeTextFile(join(base, "cgroup.subtree_control"), "\n");
  await Deno.writeTextFile(join(base, "cgroup.procs"), `${Deno.pid}\n`);
  return base;
}

/** The reason why real cgroups cannot be made here, or undefined; and the reason for each missing controller. */
export const { whyNoCgroups, lacking } = (() => {
  try {
    using cgroups = realTree();
    return { whyNoCgroups: undefined, lacking: cgroups.lacking };
  } catch (error) {
    if (error instanceof CgroupUnavailableError) return { whyNoCgroups: error.message, lacking: new Map() };
    throw error;
  }
})();

/** Opens a tree of real cgroups below the cgroup of this process. */
function realTree(): CgroupTree {
  return CgroupTree.open({ name: `teleport-test-${crypto.randomUUID()}` });
}

/**
 * Adds a test on real cgroups. It gets a tree of its own and must leave it empty.
 *
 * @param needs the controller that the test needs
 */
export function cgroupTest(name: string, run: (cgroups: CgroupTree) => Promise<void>, needs?: Controller): void {
  const why = whyNoCgroups ?? (needs === undefined ? undefined : lacking.get(needs));
  Deno.test(skippedIf(why, name), async () => {
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
