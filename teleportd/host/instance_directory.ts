/**
 * The directory of one run of one job host, `hosts/<instance>` in the data directory. Its file `lock` is locked while the
 * host lives. The kernel removes the lock with the process, so a host that hangs differs from one that has died.
 */
import { Backoff } from "../../base/backoff.ts";
import { errorCode } from "../../base/error_code.ts";
import { errorMessage } from "../../base/error_message.ts";
import { failureReason } from "../../base/errno.ts";
import { type FileModes, OWNER_MODES } from "../../base/file_modes.ts";
import { NotPlainFileError, openPlainFile, readPlainFile } from "../../base/plain_file.ts";
import { closeSync } from "node:fs";
import { basename, dirname } from "node:path";
import { StartError } from "../start_error.ts";

/** The facts of a job host for those who look for one, in its file `info.json`. */
export interface InstanceInfo {
  readonly pid: number;
  readonly version: string;
  /** The time in ISO 8601. */
  readonly startedAt: string;
  /** True: it stays without a server and without jobs. */
  readonly stays: boolean;
  /** The value of `--cgroup`. */
  readonly cgroup: string;
  readonly allowsNewPrivileges: boolean;
  /** The digest of what its jobs inherit: {@linkcode inheritedDigest}. */
  readonly inherited: string;
}

/** A directory that was found. */
export interface FoundInstance {
  readonly instance: string;
  readonly path: string;
  readonly isAlive: boolean;
  /** Absent before the host accepts links, and when it cannot be read. */
  readonly info?: InstanceInfo;
}

const INFO = "info.json";
const LOCK = "lock";

/** The longest file with facts, in bytes. Another user may have written it. */
const MAX_INFO_BYTES = 65_536;

/** Returns the directory that holds the directories of all job hosts. */
export function hostsDirectory(data: string): string {
  return `${data}/hosts`;
}

/** Returns the directory of a job host. */
export function instancePath(data: string, instance: string): string {
  return `${hostsDirectory(data)}/${instance}`;
}

/** Returns the path of a directory that is not whole: others do not take it for one of a job host. */
function unseenPath(path: string): string {
  return `${dirname(path)}/.${basename(path)}`;
}

/** The directory of the job host in this process. */
export class InstanceDirectory implements Disposable {
  readonly path: string;
  readonly instance: string;
  readonly #lock: Deno.FsFile;
  readonly #modes: FileModes;

  private constructor(path: string, instance: string, lock: Deno.FsFile, modes: FileModes) {
    this.#modes = modes;
    this.path = path;
    this.instance = instance;
    this.#lock = lock;
  }

  /**
   * Makes the directory, locked from the beginning.
   *
   * @param modes the modes of the directory and of the files that a server reads
   * @throws {StartError} when it exists, or cannot be made
   */
  static async create(data: string, instance: string, modes: FileModes = OWNER_MODES): Promise<InstanceDirectory> {
    const path = instancePath(data, instance);
    const unlocked = unseenPath(path);
    let lock: Deno.FsFile | undefined;
    let isOfOther = false;
    await removeHalfMade(data);
    try {
      await Deno.mkdir(unlocked, { recursive: true, mode: modes.directory });
      lock = await Deno.open(`${unlocked}/${LOCK}`, { create: true, write: true, mode: modes.file });
      isOfOther = !await lock.tryLock(true);
      if (isOfOther) throw new Error("another process makes it");
      await Deno.rename(unlocked, path);
      return new InstanceDirectory(path, instance, lock, modes);
    } catch (error) {
      lock?.close();
      if (!isOfOther) await Deno.remove(unlocked, { recursive: true }).catch(() => {}); // The caller gets the first error.
      throw new StartError(`Cannot make the directory "${path}" of the job host: ${failureReason(error)}`, {
        cause: error,
      });
    }
  }

  /** Writes the facts. From now on others connect. */
  async publish(info: InstanceInfo): Promise<void> {
    const path = `${this.path}/${INFO}`;
    await Deno.writeTextFile(`${path}.new`, `${JSON.stringify(info)}\n`, { mode: this.#modes.file });
    await Deno.rename(`${path}.new`, path);
  }

  /** True: the directory is removed at the end, because all ends of its jobs are stored elsewhere. */
  isUnneeded = false;

  /** Unlocks the directory. The job host counts as ended from now on, so no file of the directory is open any more. */
  [Symbol.dispose](): void {
    try {
      if (this.isUnneeded) this.#remove();
    } catch {
      // The next job host removes the rest of it.
    }
    this.#lock.close();
  }

  /** Nobody sees a half of it. The directory of a host that has died looks like that. */
  #remove(): void {
    let path = this.path;
    try {
      Deno.renameSync(path, unseenPath(path));
      path = unseenPath(path);
    } catch {
      // A full disk may have no room for the new name.
    }
    Deno.removeSync(path, { recursive: true });
  }
}

/** The age from which a directory that has no lock yet counts as left by a host that was killed, in milliseconds. */
const HALF_MADE_MS = 60_000;

/** Removes the directories of hosts that were killed while they made or removed one. A failure leaves them to the next host. */
async function removeHalfMade(data: string): Promise<void> {
  try {
    for await (const { name, isDirectory } of Deno.readDir(hostsDirectory(data))) {
      if (!isDirectory || !name.startsWith(".")) continue;
      const path = `${hostsDirectory(data)}/${name}`;
      const { mtime } = await Deno.lstat(path);
      const isOld = Date.now() - (mtime?.getTime() ?? Date.now()) > HALF_MADE_MS;
      if (isOld && !await isLocked(`${path}/${LOCK}`)) await Deno.remove(path, { recursive: true });
    }
  } catch {
    // There is none, or another host removes it at the same time.
  }
}

/** Lists the job hosts of a data directory, the oldest first. */
export async function findInstances(data: string): Promise<FoundInstance[]> {
  const found: FoundInstance[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(hostsDirectory(data))) {
      if (isDirectory && !name.startsWith(".")) found.push(await findInstance(data, name));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw new StartError(`Cannot read "${hostsDirectory(data)}": ${failureReason(error)}`, { cause: error });
    }
  }
  return found.sort((one, other) => (one.info?.startedAt ?? "") < (other.info?.startedAt ?? "") ? -1 : 1);
}

/** Returns the facts of one job host. A directory that is gone belongs to a host that has died. */
export async function findInstance(data: string, instance: string): Promise<FoundInstance> {
  const path = instancePath(data, instance);
  const [isAlive, info] = [await isLocked(`${path}/${LOCK}`), readInfo(`${path}/${INFO}`)];
  return { instance, path, isAlive, ...(info && { info }) };
}

/** The longest wait between two looks at a lock, in milliseconds. */
const MAX_LOOK_MS = 50;

/**
 * Waits until a job host has ended. The kernel reports it by the end of the lock. A wait for a lock cannot be cancelled, and
 * needs a thread and a descriptor. So a wait with a limit looks at the lock again and again.
 *
 * @param ms the most time to wait, in milliseconds
 * @returns false when it has not ended in time
 */
export async function untilEnd({ path }: Pick<FoundInstance, "path">, ms = Infinity): Promise<boolean> {
  let file: Deno.FsFile;
  try {
    file = await openLock(`${path}/${LOCK}`);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return true;
    if (error instanceof NotPlainFileError) return false;
    throw error;
  }
  using lock = file;
  if (ms === Infinity) {
    await lock.lock(false);
    return true;
  }
  const end = performance.now() + ms;
  for (const backoff = new Backoff(1, MAX_LOOK_MS);;) {
    if (await lock.tryLock(false)) return true;
    if (performance.now() >= end) return false;
    await backoff.wait();
  }
}

/** Returns true while the process lives that has locked a file. */
async function isLocked(path: string): Promise<boolean> {
  try {
    using file = await openLock(path);
    // A shared lock, so that two processes that look at the same time do not take each other for the host.
    return !await file.tryLock(false);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    // Somebody has replaced the file. Nothing is known about the host then, so its jobs are left alone.
    if (error instanceof NotPlainFileError) return true;
    throw new StartError(`Cannot read "${path}": ${errorMessage(error)}`, { cause: error });
  }
}

/** @throws {NotPlainFileError} when the user of the job host has replaced the lock file by something else */
async function openLock(path: string): Promise<Deno.FsFile> {
  const fd = openPlainFile(path);
  try {
    return await Deno.open(`/proc/self/fd/${fd}`, { read: true });
  } finally {
    closeSync(fd);
  }
}

function readInfo(path: string): InstanceInfo | undefined {
  try {
    const info = JSON.parse(new TextDecoder().decode(readPlainFile(path, MAX_INFO_BYTES)));
    return isInfo(info) ? info : undefined;
  } catch {
    return undefined; // It is not there yet, or somebody has changed it. The host still counts as alive.
  }
}

function isInfo(info: InstanceInfo | null): info is InstanceInfo {
  if (typeof info !== "object" || info === null) return false;
  const { pid, version, startedAt } = info;
  return Number.isSafeInteger(pid) && typeof version === "string" && typeof startedAt === "string";
}
