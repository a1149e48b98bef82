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
import type { Isolation } from "../../base/job_options/table.ts";

/** A mount that becomes read-only. */
export interface ReadOnlyMount {
  readonly point: string;
  /** Nothing on it can be executed, and that stays so. */
  readonly noexec: boolean;
}

/** What the launcher is to do. */
export interface IsolationPlan {
  readonly level: Isolation;
  /** A user namespace of the job's own, where the server may not make the others without; user_namespaces(7). */
  readonly userNamespace: boolean;
  /** What becomes read-only. */
  readonly readOnly: readonly ReadOnlyMount[];
  /** Directories that are empty in the job: where the host's services have their sockets. */
  readonly masked: readonly string[];
}

/** What a `STRICT` job has of its own. */
const OWN = ["/tmp", "/dev", "/sys"];

/** Devices that hold nothing of the host's, as in every container: Open Container Initiative, config-linux.md. */
const DEVICES = "null zero full random urandom tty".split(" ");

/**
 * How a job is isolated on this host.
 *
 * @param mountinfo the text of proc_pid_mountinfo(5)
 * @param isAdministrator whether the server has CAP_SYS_ADMIN
 * @param masked directories that are there and are to be empty in a `STRICT` job
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

/** Mount points that can be seen and are not read-only. */
export function writableMounts(mountinfo: string): ReadOnlyMount[] {
  const mounts = mountinfo.split("\n").map((line) => line.split(" ")).filter((fields) => fields.length > 5)
    .map(([id = "", parent = "", , , point = "", options = ""]): Mount => {
      return { id, parent, point: unescaped(point), options: options.split(",") };
    });
  const byId = new Map(mounts.map((mount) => [mount.id, mount]));
  const onMount = Map.groupBy(mounts, ({ parent }) => parent);
  const isHidden = (mount: Mount): boolean =>
    (onMount.get(mount.id) ?? []).some(({ point }) => point === mount.point) || isOutOfReach(mount);
  const isOutOfReach = (mount: Mount): boolean => {
    const beside = onMount.get(mount.parent) ?? [];
    // Had it been mounted behind such another, it would be on that one.
    if (beside.some(({ point }) => point !== mount.point && isWithin(mount.point, point))) return true;
    const parent = byId.get(mount.parent);
    if (parent === undefined || parent === mount) return false;
    // One that covers its parent is what can be seen there.
    return parent.point === mount.point ? isOutOfReach(parent) : isHidden(parent);
  };
  return mounts.filter((mount) => !mount.options.includes("ro") && !isHidden(mount))
    .map(({ point, options }) => ({ point, noexec: options.includes("noexec") }));
}

/**
 * Where a `STRICT` job could write although it must not, by its own mounts.
 *
 * @param mountinfo the text of proc_pid_mountinfo(5) of such a job
 */
export function leftWritable(mountinfo: string): string[] {
  const allowed = ["/tmp", "/dev/shm", "/dev/pts", "/dev/ptmx", ...DEVICES.map((name) => `/dev/${name}`)];
  return writableMounts(mountinfo).map(({ point }) => point).filter((point) => !allowed.includes(point));
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}

/** Spaces and the like are octal there. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
}

/** And in fstab(5). */
function escaped(text: string): string {
  return text.replace(/[\s\\#]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

/** A piece of a shell script, and what it takes from the front of the arguments. */
export interface Step {
  readonly script: string;
  readonly args: readonly string[];
}

/**
 * The programs that isolate, each of which becomes the next. The last is a shell with the script of the mounts.
 *
 * @param next what that shell does when it has isolated
 */
export function isolationWrappers(
  plan: IsolationPlan,
  shell: readonly string[],
  prelude: string,
  secret: string,
  next: Step,
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

/** The options of setpriv(1) that take from the job what it needed to be isolated. */
export function isolationPrivileges({ level, userNamespace }: IsolationPlan): string[] {
  return [
    ...(userNamespace ? ["--ambient-caps=-all", "--inh-caps=-all"] : []),
    ...(level === "STRICT" ? ["--bounding-set=-all", "--no-new-privs"] : []),
  ];
}

const PRIVATE = ["/tmp", "/dev/shm"]
  .map((point) => `mount -t tmpfs -o mode=1777,nosuid,nodev teleport ${point} || fail isolation\n`).join("");

/**
 * mount(8) is a process each time, so nearly all mounts are made by one, from a table. It must be a file, and stands with
 * the new /dev in a /tmp that the job's own one covers at the end. mount(8) leaves out `/` from a table.
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
 * The table of a `STRICT` job, fstab(5). mount(8) leaves out what it takes for mounted already: the same source at the same
 * place. A name of this launch is no other mount's source, also where this server is in an isolated job itself.
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
