/** The properties of a process that its job host and its jobs inherit. A server with other ones needs another job host. */

/** Lines of proc_pid_status(5) that children inherit, and that no part of this program changes. */
const STATUS_LINES = /^(Uid|Gid|Groups|CapPrm|CapBnd):.*$/gm;

/** Names of the namespaces in proc_pid_ns(5). */
const NAMESPACES = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"];

/**
 * Returns a digest of user, groups, capabilities, limits, niceness, score for the OOM killer and namespaces of this
 * process. Call it before the process changes itself.
 */
export async function inheritedDigest(): Promise<string> {
  const facts = [
    ...read("/proc/self/status").match(STATUS_LINES) ?? [],
    read("/proc/self/limits"),
    read("/proc/self/oom_score_adj"),
    niceness(),
    ...NAMESPACES.map((name) => link(`/proc/self/ns/${name}`)),
  ];
  const bytes = new TextEncoder().encode(facts.join("\n"));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes), 0, 8).toHex();
}

/** The niceness of this process: proc_pid_stat(5). The name in parentheses may contain any character. */
function niceness(): string {
  const stat = read("/proc/self/stat");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16] ?? "";
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

function link(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return "";
  }
}
