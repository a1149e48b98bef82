/** The processor time of this process: unlike the time of a clock, other programs on the machine do not change it. */
import process from "node:process";

/** Gives the processor time that this process has used, in milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
