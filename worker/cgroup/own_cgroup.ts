/** Where this process stands in the hierarchy of cgroup v2, read from /proc. Sources: cgroups(7), proc_pid_mountinfo(5). */

/** A cgroup as a directory. */
export interface CgroupPlace {
  readonly directory: string;
  /** Where its hierarchy is mounted: above that there is nothing. */
  readonly mount: string;
}

/**
 * Finds the cgroup of the process whose files these are; undefined where it has none in version 2, or none that a mount
 * shows. Hybrid hosts have version 2 beside version 1; its line is the one that begins with `0::`.
 *
 * @param mountinfo the text of /proc/self/mountinfo
 * @param cgroups the text of /proc/self/cgroup
 */
export function ownCgroup(mountinfo: string, cgroups: string): CgroupPlace | undefined {
  const own = /^0::(\/.*)$/m.exec(cgroups)?.[1];
  if (own === undefined) return undefined;
  for (const line of mountinfo.split("\n")) {
    // Before the " - " an unknown number of optional fields, behind it the type of the file system.
    const [mounted = "", what = ""] = line.split(" - ", 2);
    if (!what.startsWith("cgroup2 ")) continue;
    const fields = mounted.split(" ");
    const root = unescape(fields[3] ?? "");
    const mount = unescape(fields[4] ?? "");
    // In a namespace of its own a process may be outside of what the mount shows.
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

/** Spaces, tabs, line feeds and backslashes in paths are octal there. */
function unescape(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
