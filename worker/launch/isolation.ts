/**
 * Isolates a job from its host with the tools of util-linux: unshare(1) and mount(8).
 *
 * The other choice was bubblewrap 0.8. It adds 3 ms to a start for `PRIVATE` and 5 ms for `STRICT` (medians on Debian
 * 12). These tools take about twice and four times that, because each mount(8) is a process. But bwrap stays as a process
 * between the server and the job. It exits with 128 + n after a signal, which may also be an exit code. A signal to the
 * group ends bwrap, and the job with it, before the job has handled the signal. The tools here become the job, so its pid,
 * signals and exit status are its own.
 *
 * For the same reason a job gets no PID namespace. It would begin with a fork, and its first process would ignore every
 * signal that it does not handle; pid_namespaces(7). The processes of a job are found by its cgroup or in /proc.
 */
import type { Isolation } from "../../base/job_options/table.ts";
import { decodeMountPath } from "../linux/mountinfo.ts";

/** A mount that becomes read-only. */
export interface ReadOnlyMount {
  readonly point: string;
  /** True if it has "noexec", which it keeps. */
  readonly noexec: boolean;
}

/** The plan by which the launcher isolates a job. */
export interface IsolationPlan {
  readonly level: Isolation;
  /** True if the job gets a user namespace, without which the server may not create the others; user_namespaces(7). */
  readonly userNamespace: boolean;
  /** The mounts to make read-only. */
  readonly readOnly: readonly ReadOnlyMount[];
  /** The directories that are empty in the job, because they contain the sockets of the host's services. */
  readonly masked: readonly string[];
}

/** The directories that a `STRICT` job has of its own. */
const OWN = ["/tmp", "/dev", "/sys"];

/** Devices that contain no data of the host, as in every container: Open Container Initiative, config-linux.md. */
const DEVICES = "null zero full random urandom tty".split(" ");

/**
 * Returns the plan to isolate a job on this host.
 *
 * @param mountinfo the text of proc_pid_mountinfo(5)
 * @param isAdministrator true if the server has CAP_SYS_ADMIN
 * @param masked the existing directories to make empty in a `STRICT` job
 */
export function isolationPlan(
  level: Isolation,
  mountinfo: string,
  isAdministrator: boolean,
  masked: readonly string[] = [],
): IsolationPlan {
  const plan = { level, userNamespace: !isAdministrator };
  if (level !== "STRICT") return { ...plan, readOnly: [], masked: [] };
  const own = [...OWN, ...masked];
  const readOnly = writableMounts(mountinfo).filter(({ point }) => !own.some((own) => isWithin(point, own)));
  return { ...plan, readOnly, masked };
}

/** A line of proc_pid_mountinfo(5). */
interface Mount {
  readonly id: string;
  readonly parent: string;
  readonly point: string;
  readonly options: readonly string[];
}

/** Returns the visible mounts that are not read-only. */
function writableMounts(mountinfo: string): ReadOnlyMount[] {
  const mounts = mountinfo.split("\n").map((line) => line.split(" ")).filter((fields) => fields.length > 5)
    .map(([id = "", parent = "", , , point = "", options = ""]): Mount => {
      return { id, parent, point: decodeMountPath(point), options: options.split(",") };
    });
  const byId = new Map(mounts.map((mount) => [mount.id, mount]));
  const onMount = Map.groupBy(mounts, ({ parent }) => parent);
  const isHidden = (mount: Mount): boolean =>
    (onMount.get(mount.id) ?? []).some(({ point }) => point === mount.point) || isOutOfReach(mount);
  const isOutOfReach = (mount: Mount): boolean => {
    const siblings = onMount.get(mount.parent) ?? [];
    // A later mount on the sibling would have the sibling as its parent.
    if (siblings.some(({ point }) => point !== mount.point && isWithin(mount.point, point))) return true;
    const parent = byId.get(mount.parent);
    if (parent === undefined || parent === mount) return false;
    // A mount that covers its parent is visible.
    return parent.point === mount.point ? isOutOfReach(parent) : isHidden(parent);
  };
  return mounts.filter((mount) => !mount.options.includes("ro") && !isHidden(mount))
    .map(({ point, options }) => ({ point, noexec: options.includes("noexec") }));
}

/**
 * Returns the mount points where a `STRICT` job could write although it must not.
 *
 * @param mountinfo the text of proc_pid_mountinfo(5) of the job
 */
export function forbiddenWritableMounts(mountinfo: string): string[] {
  const allowed = ["/tmp", "/dev/shm", "/dev/pts", "/dev/ptmx", ...DEVICES.map((name) => `/dev/${name}`)];
  return writableMounts(mountinfo).map(({ point }) => point).filter((point) => !allowed.includes(point));
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}

/** Encodes a path for fstab(5). */
function escaped(text: string): string {
  return text.replace(/[\s\\#]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

/** A part of a shell script, and the arguments that it takes from the front. */
export interface ScriptStep {
  readonly script: string;
  readonly args: readonly string[];
}

/**
 * Returns the programs that isolate. Each becomes the next. The last one is a shell that mounts.
 *
 * @param next the step that the shell runs after the mounts
 */
export function isolationWrappers(
  plan: IsolationPlan,
  shell: readonly string[],
  prelude: string,
  secret: string,
  next: ScriptStep,
): string[] {
  const { level, userNamespace } = plan;
  return [
    "unshare",
    ...(userNamespace ? ["--user", "--map-current-user", "--keep-caps"] : []),
    "--mount",
    "--ipc",
    "--uts",
    ...(level === "STRICT" ? ["--net"] : []),
    ...shell,
    `${prelude}${level === "STRICT" ? STRICT : PRIVATE}${next.script}exec "$@"\n`,
    secret,
    ...(level === "STRICT" ? [strictMounts(plan)] : []),
    ...next.args,
  ];
}

/** Returns the options of setpriv(1) that drop the privileges which the isolation needed. */
export function isolationPrivileges({ level, userNamespace }: IsolationPlan): string[] {
  return [
    ...(userNamespace ? ["--ambient-caps=-all", "--inh-caps=-all"] : []),
    ...(level === "STRICT" ? ["--bounding-set=-all", "--no-new-privs"] : []),
  ];
}

const PRIVATE = ["/tmp", "/dev/shm"]
  .map((point) => `mount -t tmpfs -o mode=1777,nosuid,nodev teleport ${point} || fail isolation\n`).join("");

/**
 * The mounts of a `STRICT` job. Each mount(8) is a process, so one mount(8) makes nearly all mounts from a table. The table
 * must be a file. It is in a temporary /tmp, with the new /dev. The job's own /tmp covers it at the end. mount(8) ignores
 * `/` in a table.
 */
const STRICT = [
  "mount -t tmpfs -o mode=1777,nosuid,nodev staging /tmp",
  "mkdir -m 755 /tmp/dev /tmp/dev/pts /tmp/dev/shm",
  `for device in ${DEVICES.join(" ")} ptmx; do : >"/tmp/dev/$device" || fail isolation; done`,
  "{ cp -P /dev/fd /dev/stdin /dev/stdout /dev/stderr /tmp/dev 2>/dev/null || :; }",
  'printf "%s" "$1" >/tmp/fstab',
  "mount -a -T /tmp/fstab",
  "mount -t sysfs -o ro,nosuid,nodev,noexec teleport /sys",
  "mount -o remount,bind,ro,nosuid,nodev /",
].map((command) => `${command} || fail isolation\n`).join("") + "shift\n";

/**
 * Returns the table of mounts for a `STRICT` job, fstab(5). mount(8) skips an entry if the same source is mounted at the
 * same place. So the name of the source is unique for this launch, which matters if the server is in an isolated job.
 */
function strictMounts({ readOnly, masked }: IsolationPlan): string {
  const source = `teleport-${crypto.randomUUID()}`;
  const tmpfs = "tmpfs mode=1777,nosuid,nodev";
  const remount = "none remount,bind,ro,nosuid";
  return [
    ...DEVICES.map((name) => `/dev/${name} /tmp/dev/${name} none bind`),
    `${source} /tmp/dev/pts devpts newinstance,ptmxmode=0666,mode=620,nosuid,noexec`,
    "/tmp/dev/pts/ptmx /tmp/dev/ptmx none bind",
    "/tmp/dev /dev none rbind",
    `${source} /dev ${remount},noexec`,
    `${source} /dev/shm ${tmpfs}`,
    ...masked.map((path) => `${source} ${escaped(path)} tmpfs mode=755,nosuid,nodev,ro`),
    ...readOnly.filter(({ point }) => point !== "/")
      .map(({ point, noexec }) => `${source} ${escaped(point)} ${remount},nodev${noexec ? ",noexec" : ""}`),
    `${source} /tmp ${tmpfs}`,
  ].map((line) => `${line} 0 0\n`).join("");
}
