/** The signals of Linux: names to numbers and back, and sending one to a process or a process group. */
import { errorCode } from "../../base/error_code.ts";
import process from "node:process";
import { InvalidSignalError } from "../errors.ts";

/**
 * Names by number, as in signal(7) for x86, ARM and most other architectures. The list is position by number, so the
 * empty places are numbers without a name: 0 sends nothing, 32 and 33 belong to the C library's threads.
 */
const NAMES: readonly string[] = [
  "",
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGILL",
  "SIGTRAP",
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGKILL",
  "SIGUSR1",
  "SIGSEGV",
  "SIGUSR2",
  "SIGPIPE",
  "SIGALRM",
  "SIGTERM",
  "SIGSTKFLT",
  "SIGCHLD",
  "SIGCONT",
  "SIGSTOP",
  "SIGTSTP",
  "SIGTTIN",
  "SIGTTOU",
  "SIGURG",
  "SIGXCPU",
  "SIGXFSZ",
  "SIGVTALRM",
  "SIGPROF",
  "SIGWINCH",
  "SIGIO",
  "SIGPWR",
  "SIGSYS",
];

const ALIASES: Readonly<Record<string, string>> = {
  SIGIOT: "SIGABRT",
  SIGCLD: "SIGCHLD",
  SIGPOLL: "SIGIO",
  SIGUNUSED: "SIGSYS",
};

/** The first and last real-time signals as glibc counts them: it keeps 32 and 33 for itself. */
const RT_MIN = 34;
const RT_MAX = 64;

/** A signal of Linux: its canonical name and its number. */
export interface LinuxSignal {
  readonly name: string;
  readonly number: number;
}

/**
 * Returns the name of a signal by its number, such as `SIGTERM` for 15 or `SIGRTMIN+1` for 35, or undefined where the
 * number has none.
 */
export function signalName(number: number): string | undefined {
  if (number >= RT_MIN && number <= RT_MAX) return number === RT_MIN ? "SIGRTMIN" : `SIGRTMIN+${number - RT_MIN}`;
  return NAMES[number] || undefined;
}

/**
 * Reads a signal as kill(1) does: a name in any case with or without `SIG`, real-time names (`SIGRTMIN+2`,
 * `RTMAX-1`), or a number from 1 to 64.
 *
 * @throws {InvalidSignalError} when Linux has no such signal
 */
export function parseSignal(text: string): LinuxSignal {
  if (/^[0-9]{1,2}$/.test(text)) {
    const number = Number(text);
    const name = signalName(number);
    if (name !== undefined) return { name, number };
    throw new InvalidSignalError(text);
  }
  const upper = text.toUpperCase();
  const full = upper.startsWith("SIG") ? upper : `SIG${upper}`;
  const name = ALIASES[full] ?? full;
  const number = NAMES.indexOf(name);
  if (number > 0) return { name, number };
  const realTime = /^SIGRT(MIN|MAX)(?:([+-])([0-9]{1,2}))?$/.exec(name);
  if (realTime) {
    const base = realTime[1] === "MIN" ? RT_MIN : RT_MAX;
    const sign = realTime[2] === "-" ? -1 : 1;
    const value = base + sign * Number(realTime[3] ?? 0);
    const canonical = value >= RT_MIN && value <= RT_MAX ? signalName(value) : undefined;
    if (canonical !== undefined) return { name: canonical, number: value };
  }
  throw new InvalidSignalError(text);
}

/**
 * What became of a signal.
 *
 * - `SENT`: to the process, or to every process of the group that may be signalled, one at least
 * - `GONE`: there is no such process or group any more
 * - `DENIED`: it runs as another user, and the kernel let none be signalled; kill(2), EPERM
 */
export type Delivery = "SENT" | "GONE" | "DENIED";

/** Sends a signal to a process (`pid` above 0) or to a process group (minus its id), as kill(2) does. */
export async function sendSignal(pid: number, signal: LinuxSignal): Promise<Delivery> {
  if (signal.number < RT_MIN) return sendNow(pid, signal.name as Deno.Signal);
  if (await sendThroughShell(pid, signal.number)) return "SENT";
  return probe(pid) === "DENIED" ? "DENIED" : "GONE";
}

/** As `sendSignal`, for signals with a fixed name: at once, without a turn of the event loop. */
export function sendNow(pid: number, name: Deno.Signal): Delivery {
  try {
    Deno.kill(pid, name);
    return "SENT";
  } catch (error) {
    return failedDelivery(error);
  }
}

/** What would become of a signal, by signal 0, which only asks. */
export function probe(pid: number): Delivery {
  try {
    process.kill(pid, 0); // `Deno.kill` takes 0 too and says yes to everything.
    return "SENT";
  } catch (error) {
    return failedDelivery(error);
  }
}

/** True while there is such a process (`pid` above 0) or a process group with members (minus its id). */
export function exists(pid: number): boolean {
  return probe(pid) !== "GONE";
}

function failedDelivery(error: unknown): Delivery {
  if (isNoSuchProcess(error)) return "GONE";
  if (error instanceof Deno.errors.PermissionDenied || errorCode(error) === "EPERM") return "DENIED";
  throw error;
}

function isNoSuchProcess(error: unknown): boolean {
  // `Deno.kill` has an error class for it, `process.kill` a code.
  return error instanceof Deno.errors.NotFound || errorCode(error) === "ESRCH";
}

/** `Deno.kill` knows no real-time signals; the shell's own `kill` takes any number and starts no further program. */
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
