/** Cgroups for tests: a made-up tree that is there everywhere, and real ones where this host lets us. */
import { join } from "node:path";
import { CgroupUnavailableError } from "../../worker/cgroup_delegation.ts";
import { CgroupTree } from "../../worker/cgroup_tree.ts";

/** A directory that looks as a delegated cgroup does to who may write to it. What is written there can be read back. */
export async function fakeBase(controllers = "cpuset cpu io memory pids"): Promise<string> {
  const base = await Deno.makeTempDir({ prefix: "teleport-test-cgroup-" });
  await Deno.writeTextFile(join(base, "cgroup.controllers"), `${controllers}\n`);
  await Deno.writeTextFile(join(base, "cgroup.subtree_control"), "\n");
  await Deno.writeTextFile(join(base, "cgroup.procs"), `${Deno.pid}\n`);
  return base;
}

/** Why there can be no real cgroups here; undefined where there can. */
export const whyNoCgroups: string | undefined = (() => {
  try {
    realTree()[Symbol.dispose]();
    return undefined;
  } catch (error) {
    if (error instanceof CgroupUnavailableError) return error.message;
    throw error;
  }
})();

/** A tree of real cgroups, below the one that this process is in. */
export function realTree(): CgroupTree {
  return CgroupTree.open({ name: `teleport-test-${crypto.randomUUID()}` });
}

/** Adds a test on real cgroups, which gets a tree of its own and must leave it empty. */
export function cgroupTest(name: string, run: (cgroups: CgroupTree) => Promise<void>): void {
  const title = whyNoCgroups === undefined ? name : `${name} (skipped: ${whyNoCgroups})`;
  Deno.test(title, { ignore: whyNoCgroups !== undefined }, async () => {
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
