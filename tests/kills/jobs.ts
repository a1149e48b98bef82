/** The jobs of the kill tests: shell scripts that note each start, count in a file, and number their lines. */
import type { Sent } from "../../proto/service.ts";
import type { JobRequest } from "../../proto/teleport/v1/job_worker.ts";
import { MARK } from "./processes.ts";
import type { Place } from "./place.ts";

/** The exit code of a long job that was asked to end. */
export const LONG_CODE = 7;

/** The first lines of every script. `$1` is the beginning of the names of its files. */
const BEGIN = `echo $$ >> "$1.starts"; n=0; note() { echo $n >> "$1.count"; }\n`;

/**
 * The last line of a long job counts the others. SIGTERM reaches the whole group, and would cut the output of another
 * program. So the shell itself writes, and reads the variable between two of its commands.
 */
const UNTIL_STOPPED = `stopped=; trap 'stopped=1' TERM\nwhile [ -z "$stopped" ]; do\n`;
const GOODBYE = `\ndone; echo "end $n"; exit ${LONG_CODE}`;

/** Writes many lines at once. */
function burst(lines: number): string {
  return `text=; last=$((n + ${lines})); while [ $n -lt $last ]; do n=$((n + 1)); text="\${text}line $n
"; done; printf %s "$text"; note "$1"`;
}

/** Jobs that run until they are stopped. They write `line 1`, `line 2` and so on, and at last `end N`. */
export const LONG_SCRIPTS = {
  slow: `${UNTIL_STOPPED}n=$((n + 1)); echo "line $n"; note "$1"; sleep 0.05${GOODBYE}`,
  bursts: `${UNTIL_STOPPED}${burst(500)}; sleep 0.4${GOODBYE}`,
  newest: `${UNTIL_STOPPED}${burst(300)}; sleep 0.2${GOODBYE}`,
  paused: `${UNTIL_STOPPED}n=$((n + 1)); echo "line $n"; note "$1"; sleep 0.05${GOODBYE}`,
  input: `while read -r text; do n=$((n + 1)); echo "line \${text#\${text%%[!0]*}}"; note "$1"${GOODBYE}`,
} as const;

/** The output limit of a job that writes more than that. */
export const FLOOD_BYTES = 10_000;

/** The name of a kind of long job. */
export type LongKind = keyof typeof LONG_SCRIPTS;

/** Options of long jobs in addition to the script. */
export const LONG_OPTIONS: Readonly<Partial<Record<LongKind, Sent<JobRequest>>>> = {
  newest: { max_output_bytes: 100_000, output_policy: "OUTPUT_POLICY_KEEP_NEWEST" },
  input: { input: true },
};

/** Jobs that end by themselves. `$2` is the exit code. */
export const SHORT_SCRIPTS = {
  /** Writes one line. */
  echo: `echo out; exit $2`,
  /** Never ends by itself. */
  sleep: `echo out; exec sleep 1000`,
  /** Writes random bytes at full speed, and their digest to a file of its own. `$3` is the number of bytes. */
  fast: `mkfifo "$1.bytes"; sha256sum < "$1.bytes" > "$1.digest" &
head -c $3 /dev/urandom | tee "$1.bytes"; wait; exit $2`,
} as const;

/** Jobs that wait for a word, and then end in a way of their own. They write the word first, if it is not empty. */
export const GATED_SCRIPTS = {
  exits: `read -r word < "$1.gate"; [ -z "$word" ] || echo "$word"; exit $2`,
  signals: `read -r word < "$1.gate"; [ -z "$word" ] || echo "$word"; kill -SEGV $$`,
  /** Leaves a process that has left the group. */
  leaves: `read -r word < "$1.gate"; echo "$word"; setsid sleep 1000 & sleep 0.05; exit $2`,
  /** Writes more than its limit. */
  floods: `read -r word < "$1.gate"; echo "$word"; exec yes`,
  /** Runs out of time. */
  late: `read -r word < "$1.gate"; echo "$word"; exec sleep 1000`,
} as const;

/** The name of a kind of job that waits for a word. */
export type GatedKind = keyof typeof GATED_SCRIPTS;

/** Options of such jobs in addition to the script. */
export const GATED_OPTIONS: Readonly<Partial<Record<GatedKind, Sent<JobRequest>>>> = {
  floods: { max_output_bytes: FLOOD_BYTES, output_policy: "OUTPUT_POLICY_STOP" },
  late: { timeout_ms: 2_500 },
};

/** The files of a job. Each name begins with this text. */
export function filesOf(place: Place, name: string): string {
  return `${place.dir}/files/${name}`;
}

/** Makes the request for a job. Its label `name` is unique in the place. */
export function requestFor(
  place: Place,
  name: string,
  script: string,
  args: readonly string[] = [],
  options: Sent<JobRequest> = {},
): Sent<JobRequest> {
  return {
    command: "sh",
    args: ["-c", BEGIN + script, "sh", filesOf(place, name), ...args],
    labels: { name },
    env: { [MARK]: place.dir },
    request_id: crypto.randomUUID(),
    ...options,
  };
}

/** Gives the pids that a job has noted at its starts. One start is one line. */
export function startsOf(place: Place, name: string): number[] {
  return numbersIn(`${filesOf(place, name)}.starts`);
}

/** Gives the number up to which a job has counted. */
export function countOf(place: Place, name: string): number {
  return numbersIn(`${filesOf(place, name)}.count`).at(-1) ?? 0;
}

function numbersIn(path: string): number[] {
  try {
    return Deno.readTextFileSync(path).split("\n").slice(0, -1).map(Number);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
