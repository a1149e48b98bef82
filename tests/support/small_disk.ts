/** A disk of a few megabytes that a test can fill or make read-only, where the machine allows to mount one. */
import { skippedIf, type TestName } from "./needs.ts";

/** Mounts a small file system for the time of a function. */
export async function onDisk(megabytes: number, use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
  try {
    await run("mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "teleport", directory);
    try {
      await use(directory);
    } finally {
      await run("umount", directory);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Runs a program that must succeed. */
export async function run(command: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, stdout: "null" }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** Makes a disk read-only, or writable again. */
export async function remount(disk: string, mode: "ro" | "rw"): Promise<void> {
  await run("mount", "-o", `remount,${mode}`, disk);
}

/** Root in a container may not be allowed to mount, so this tries it. */
const mayMount = await onDisk(1, () => Promise.resolve()).then(() => true, () => false);
/** Names a test that needs a disk of its own. */
export function needingDisk(name: string): TestName {
  return skippedIf(mayMount ? undefined : "needs the right to mount a disk", name);
}
