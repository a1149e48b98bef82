/** The processes of a session, from /proc. */

/**
 * Returns the running processes of a session. Source: proc(5), stat. State, parent, group and session follow the name in
 * brackets. A process in state Z has ended and waits for its parent.
 */
export async function sessionMembers(session: number): Promise<{ pid: number; name: string }[]> {
  const found: { pid: number; name: string }[] = [];
  for await (const { name: entry } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await Deno.readTextFile(`/proc/${entry}/stat`).catch(() => ""); // The process has ended in the meantime.
    const [, name, rest = ""] = /^\d+ \((.*)\) (.*)/s.exec(stat) ?? [];
    const fields = rest.split(" ");
    if (name !== undefined && fields[0] !== "Z" && Number(fields[3]) === session) {
      found.push({ pid: Number(entry), name });
    }
  }
  return found;
}
