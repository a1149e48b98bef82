/** The processes of a place, from /proc: those of its jobs, its servers and its job hosts. */

/** The variable that marks all jobs of a place. Its value is the directory of the place. */
export const MARK = "TELEPORT_TEST_PLACE";

/** The programs that have the data directory of a place on their command line. */
export interface Programs {
  readonly servers: readonly number[];
  readonly hosts: readonly number[];
}

function pids(): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Number.isInteger);
}

/** Reads a file of a process. Gives an empty text when the process has ended. */
function read(pid: number, file: string): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/${file}`);
  } catch {
    return "";
  }
}

/** Gives the living processes of all jobs of a place, by the id of the job. A zombie has no environment. */
export function jobProcesses(place: string): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const pid of pids()) {
    const environment = read(pid, "environ").split("\0");
    if (!environment.includes(`${MARK}=${place}`)) continue;
    const id = environment.find((variable) => variable.startsWith("TELEPORT_ID="))?.slice("TELEPORT_ID=".length);
    if (id !== undefined) found.set(id, [...found.get(id) ?? [], pid]);
  }
  return found;
}

/**
 * Gives the servers and the job hosts that run on a data directory.
 *
 * @param paths the paths of the directory, as a command line may name it
 */
export function programsOn(...paths: readonly string[]): Programs {
  const servers: number[] = [];
  const hosts: number[] = [];
  for (const pid of pids()) {
    const args = read(pid, "cmdline").split("\0");
    if (!paths.some((path) => args.includes(path) || args.includes(`--data=${path}`))) continue;
    const at = args.indexOf("host");
    (at >= 0 && args[at + 1] === "run" ? hosts : servers).push(pid);
  }
  return { servers, hosts };
}

/**
 * Gives what identifies a running process: its start in ticks since boot, field 22 of proc_pid_stat(5). The name in
 * parentheses may contain anything, so fields are counted from its end. Undefined: it has ended, or is a zombie.
 */
export function startOf(pid: number): string | undefined {
  const stat = read(pid, "stat");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.length < 20 || fields[0] === "Z" ? undefined : fields[19];
}

/** Counts the descriptors of a process: all of them, its sockets, and those of its sockets that belong to the network. */
export function descriptorsOf(
  pid: number,
): { readonly all: number; readonly sockets: number; readonly network: number } {
  const tables = ["net/tcp", "net/tcp6"].flatMap((table) => read(pid, table).split("\n"));
  // proc_net(5): the inode is the tenth field.
  const network = new Set(tables.map((line) => line.trim().split(/\s+/)[9]));
  const inodes: string[] = [];
  const names = [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => name);
  for (const name of names) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(Deno.readLinkSync(`/proc/${pid}/fd/${name}`))?.[1];
      if (inode !== undefined) inodes.push(inode);
    } catch {
      // It was closed in the meantime.
    }
  }
  return {
    all: names.length,
    sockets: inodes.length,
    network: inodes.filter((inode) => network.has(inode)).length,
  };
}
