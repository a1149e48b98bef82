/**
 * How a job is set apart from the rest of its host, with what util-linux has: unshare(1) and mount(8).
 *
 * Measured against bubblewrap 0.8 (both from Debian 12, medians): bwrap takes 3 ms more than a direct start for `PRIVATE`
 * and 5 ms for `STRICT`, these commands about twice and four times that, for mount(8) is a process each time. But bwrap
 * stays, as a process between us and the job: it ends with 128 + n for a signal, so that an exit code could be either,
 * and whatever signal reaches the group ends it first, and the job with it, before the job has handled it. What is built
 * here becomes the job, and adds no process, so pid, signals, exit code and signal are the job's own.
 *
 * For the same reason there is no PID namespace: it begins with a fork, and its first process ignores every signal that
 * it does not handle; pid_namespaces(7). What is to end with a job is found by its cgroup, or in /proc.
 */
import type { Isolation } from "./command.ts";

/** What the launcher is to do. */
export interface IsolationPlan {
  readonly level: Isolation;
  /** A user namespace of the job's own, where the server may not make the others without; user_namespaces(7). */
  readonly userNamespace: boolean;
  /** What becomes read-only, by mount point. */
  readonly readOnly: readonly string[];
}

/** What has its own mount in an isolated job, and what must stay as it is: devices, and /proc, which rules itself. */
const OWN = ["/tmp", "/dev/shm"];
const LEFT = /^\/(proc|dev)(\/|$)/;

/**
 * How a job is isolated on this host.
 *
 * @param mountinfo the text of proc_pid_mountinfo(5)
 * @param isAdministrator whether the server has CAP_SYS_ADMIN
 */
export function isolationPlan(level: Isolation, mountinfo: string, isAdministrator: boolean): IsolationPlan {
  return { level, userNamespace: !isAdministrator, readOnly: level === "STRICT" ? writableMounts(mountinfo) : [] };
}

/** Mount points that can be seen and are not read-only yet, but for those that an isolated job has anew. */
function writableMounts(mountinfo: string): string[] {
  const mounts = mountinfo.split("\n").map((line) => line.split(" ")).filter((fields) => fields.length > 5)
    .map(([, , , , point = "", options = ""]) => ({ point: unescaped(point), options: options.split(",") }));
  return mounts
    .filter(({ point }, index) => !mounts.slice(index + 1).some((later) => isWithin(point, later.point)))
    .filter(({ point, options }) => !options.includes("ro") && !LEFT.test(point))
    .map(({ point }) => point)
    // /sys is mounted anew, with nothing in it of what is mounted there: control groups, debugging.
    .filter((point) => ![...OWN, "/sys"].some((own) => isWithin(point, own)));
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}

/** Spaces and the like are octal there. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
}

/** The programs that isolate, each of which becomes the next. The last is a shell with the script of the mounts. */
export function isolationWrappers(
  { level, userNamespace, readOnly }: IsolationPlan,
  shell: readonly string[],
  prelude: string,
  secret: string,
): string[] {
  return [
    "unshare",
    ...(userNamespace ? ["--user", "--map-current-user", "--keep-caps"] : []),
    "--mount",
    "--ipc",
    "--uts",
    ...(level === "STRICT" ? ["--net"] : []),
    ...shell,
    `${prelude}${MOUNTS}${level === "STRICT" ? READ_ONLY : ""}exec "$@"\n`,
    secret,
    ...(level === "STRICT" ? [...readOnly, ""] : []),
  ];
}

/** The options of setpriv(1) that take from the job what it needed to be isolated. */
export function isolationPrivileges({ level, userNamespace }: IsolationPlan): string[] {
  return [
    ...(userNamespace ? ["--ambient-caps=-all", "--inh-caps=-all"] : []),
    ...(level === "STRICT" ? ["--bounding-set=-all"] : []),
  ];
}

const MOUNTS = OWN.map((point) => `mount -t tmpfs -o mode=1777,nosuid,nodev teleport ${point} || fail isolation\n`)
  .join("");

/** An empty word ends the mount points, for none is empty. */
const READ_ONLY = "mount -t sysfs -o ro,nosuid,nodev,noexec teleport /sys || fail isolation\n" +
  'while [ -n "$1" ]; do mount -o remount,bind,ro "$1" || fail isolation; shift; done\nshift\n';
