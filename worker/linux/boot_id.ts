/** Identifies the current boot of the system. Pids and start times have a meaning within one boot only. */

/** Returns the id of the current boot of the system, proc_sys_kernel(5); empty when it cannot be read. */
export function bootId(): string {
  try {
    return Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
  } catch {
    return "";
  }
}
