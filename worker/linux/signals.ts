/** Reads signals as users write them, and sends signals to processes and process groups. */
import process from "node:process";
import { errorCode } from "../../base/error_code.ts";
import { signalName, signalNumber, SIGRTMIN } from "../../base/signals.ts";
import { InvalidSignalError } from "../errors.ts";
import { isGone } from "./absence.ts";
import { type ProcessEntry, readEntry } from "./procfs.ts";

const ALIASES: Readonly<Record<string, string>> = {
  SIGIOT: "SIGABRT",
  SIGCLD: "SIGCHLD",
  SIGPOLL: "SIGIO",
  SIGUNUSED: "SIGSYS",
};

/** A signal of Linux. */
export interface LinuxSignal {
  /** Such as `SIGTERM` or `SIGRTMIN+1`; each signal has one name. */
  readonly name: string;
  /** From 1 to 64. */
  readonly number: number;
}

/**
 * Reads a signal as kill(1) does. It accepts names in any case with or without `SIG`, real-time names such as
 * `RTMAX-1`, and numbers from 1 to 64.
 *
 * @throws {InvalidSignalError} when Linux has no such signal
 * @example
 * ```ts
 * import { parseSignal } from "./signals.ts";
 *
 * console.assert(parseSignal("term").number === 15);
 * console.assert(parseSignal("9").name === "SIGKILL");
 * ```
 */
export function parseSignal(text: string): LinuxSignal {
  const number = /^[0-9]{1,2}$/.test(text) ? Number(text) : signalNumber(canonicalName(text));
  const name = number === undefined ? undefined : signalName(number);
  if (number === undefined || name === undefined) throw new InvalidSignalError(text);
  return { name, number };
}

function canonicalName(text: string): string {
  const upper = text.toUpperCase();
  const full = upper.startsWith("SIG") ? upper : `SIG${upper}`;
  return ALIASES[full] ?? full;
}

/**
 * The outcome of sending a signal.
 *
 * - `SENT`: the process got it, or every process of the group that may be signalled, at least one
 * - `GONE`: the process or group no longer exists
 * - `DENIED`: it runs as another user, and the kernel refuses the signal; kill(2), EPERM
 */
export type Delivery = "SENT" | "GONE" | "DENIED";

/**
 * Sends a signal as kill(2) does.
 *
 * @param pid the process, or minus the id of a process group
 */
export async function sendSignal(pid: number, signal: LinuxSignal): Promise<Delivery> {
  if (signal.number < SIGRTMIN) return sendNow(pid, signal.name as Deno.Signal);
  if (await sendThroughShell(pid, signal.number)) return "SENT";
  return probe(pid) === "DENIED" ? "DENIED" : "GONE";
}

/**
 * Sends a signal that is not a real-time signal, synchronously.
 *
 * @param pid the process, or minus the id of a process group
 */
export function sendNow(pid: number, name: Deno.Signal): Delivery {
  try {
    Deno.kill(pid, name);
    return "SENT";
  } catch (error) {
    return failedDelivery(error);
  }
}

/** Sends a signal to a process that was read before, unless its pid belongs to another process by now. */
export function signalEntry({ pid, startTime }: ProcessEntry, name: Deno.Signal): Delivery {
  return readEntry(pid)?.startTime === startTime ? sendNow(pid, name) : "GONE";
}

/**
 * Returns what would happen to a signal, without sending one.
 *
 * @param pid the process, or minus the id of a process group
 */
export function probe(pid: number): Delivery {
  try {
    process.kill(pid, 0); // `Deno.kill` accepts 0 too, but never fails.
    return "SENT";
  } catch (error) {
    return failedDelivery(error);
  }
}

/**
 * Returns true while a process exists, or while a process group has members.
 *
 * @param pid the process, or minus the id of a process group
 */
export function exists(pid: number): boolean {
  return !(isGone(pid) ?? probe(pid) === "GONE");
}

/** `Deno.kill` throws an error class, `process.kill` an error with a code. */
function failedDelivery(error: unknown): Delivery {
  const code = errorCode(error);
  if (error instanceof Deno.errors.NotFound || code === "ESRCH") return "GONE";
  if (error instanceof Deno.errors.PermissionDenied || code === "EPERM") return "DENIED";
  throw error;
}

/** Sends a real-time signal, which `Deno.kill` cannot. The shell's built-in `kill` accepts any number. */
async function sendThroughShell(pid: number, number: number): Promise<boolean> {
  const { success } = await new Deno.Command("/bin/sh", {
    args: ["-c", 'kill -s "$1" -- "$2"', "sh", String(number), String(pid)],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    clearEnv: true,
  }).output();
  return success;
}
