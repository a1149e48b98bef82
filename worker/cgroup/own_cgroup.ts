/** Finds the cgroup of this process, version 2, in /proc. Sources: cgroups(7), proc_pid_mountinfo(5). */

import { decodeMountPath } from "../linux/mountinfo.ts";

/** A cgroup as a directory. */
export interface CgroupPlace {
  readonly directory: string;
  /** The mount point of its hierarchy. No cgroup is above it. */
  readonly mount: string;
}

/**
 * Finds the cgroup of a process in the texts of its files. Hybrid hosts have versions 1 and 2; the line of version 2
 * begins with `0::`.
 *
 * @param mountinfo the text of /proc/self/mountinfo
 * @param cgroups the text of /proc/self/cgroup
 * @returns undefined if the process has no cgroup of version 2, or no mount shows it
 */
export function ownCgroup(mountinfo: string, cgroups: string): CgroupPlace | undefined {
  const own = /^0::(\/.*)$/m.exec(cgroups)?.[1];
  if (own === undefined) return undefined;
  for (const line of mountinfo.split("\n")) {
    // The number of fields before the " - " varies. The type of the file system follows it.
    const [mounted = "", what = ""] = line.split(" - ", 2);
    if (!what.startsWith("cgroup2 ")) continue;
    const fields = mounted.split(" ");
    const root = decodeMountPath(fields[3] ?? "");
    const mount = decodeMountPath(fields[4] ?? "");
    // In a cgroup namespace, a process may be outside of the mounted part.
    const below = root === "/"
      ? own
      : own === root
      ? "/"
      : own.startsWith(`${root}/`)
      ? own.slice(root.length)
      : undefined;
    if (below === undefined || below.split("/").includes("..")) continue;
    return { directory: below === "/" ? mount : `${mount}${below}`, mount };
  }
  return undefined;
}
