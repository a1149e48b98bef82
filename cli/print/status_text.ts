/** A job's status in words. */
import type { JobStatus, OutputPolicy, Reason, State, Timestamp } from "../../proto/teleport/v1/job_worker.ts";
import { formatColumns } from "../../text/columns.ts";
import { escapeTerminal, formatCommand } from "../../text/escape_terminal.ts";
import { formatDuration } from "../../base/number_text.ts";
import { enumName, rfc3339 } from "./message_json.ts";
import { optionRows } from "./option_text.ts";
import type { Print, Style } from "./print.ts";
import { formatAge, formatBytes } from "./size_text.ts";
import { endRows, usageRows } from "./resource_usage.ts";

/** Returns whether the state is one of the four that never change. */
export function isFinal(state: State): boolean {
  return state === "STATE_EXITED" || state === "STATE_KILLED" || state === "STATE_FAILED" || state === "STATE_LOST";
}

const REASONS: Partial<Record<Reason, string>> = {
  REASON_STOPPED: "stopped",
  REASON_TIMED_OUT: "timed out",
  REASON_OUTPUT_LIMIT: "over its output limit",
  REASON_OUTPUT_FAILED: "its output could not be recorded",
  REASON_OUT_OF_MEMORY: "out of memory",
  REASON_SHUTDOWN: "the server shut down",
};

/** Returns why the job ended. Empty when the state says it already. */
export function reasonText(status: JobStatus): string {
  const reason = REASONS[status.reason];
  if (reason === undefined) return "";
  return status.stopped_by === "" ? reason : `${reason} by ${escapeTerminal(status.stopped_by)}`;
}

const STYLES: Partial<Record<State, Style>> = {
  STATE_RUNNING: "green",
  STATE_STOPPING: "yellow",
  STATE_KILLED: "yellow",
  STATE_FAILED: "red",
  STATE_LOST: "red",
};

/** Returns a text in the colour of the job's state. */
export function colourByState(print: Print, status: JobStatus, text: string): string {
  const hasFailed = status.state === "STATE_EXITED" && status.exit_code !== 0;
  const style = hasFailed ? "red" : STYLES[status.state];
  return style === undefined ? text : print.styled(style, text);
}

/** Returns the state with its exit code or signal: `EXITED 7`, `KILLED SIGTERM`, `RUNNING`. */
export function shortStateText(status: JobStatus): string {
  const state = enumName(status.state);
  if (status.state === "STATE_EXITED") return `${state} ${status.exit_code}`;
  return status.state === "STATE_KILLED" ? `${state} ${escapeTerminal(status.signal)}` : state;
}

/** Returns the state with its details: `KILLED SIGTERM (stopped by ada)`, `RUNNING, pid 4711`. */
export function stateText(status: JobStatus): string {
  const state = shortStateText(status);
  const reason = reasonText(status);
  switch (status.state) {
    case "STATE_RUNNING":
      return `${state}, pid ${status.pid}${pausedText(status)}${unreachableText(status)}`;
    case "STATE_EXITED":
    case "STATE_KILLED":
      return reason === "" ? state : `${state} (${reason})`;
    case "STATE_FAILED":
    case "STATE_LOST":
      return `${state}: ${escapeTerminal(status.error)}`;
    case "STATE_STARTING":
      return `${state}${waitText(status)}`;
    default:
      return state;
  }
}

/** Returns the sentence about a job that did not end by itself: it could not start, or its end is unknown. */
export function unseenEnd(status: JobStatus | null | undefined): string | undefined {
  return status?.state === "STATE_FAILED" || status?.state === "STATE_LOST" ? stateText(status) : undefined;
}

/** Returns what a job that is not on a machine yet waits for. */
function waitText({ placement }: JobStatus): string {
  const why = placement?.waits_for ?? "";
  return why === "" ? "" : `, waits for a node: ${escapeTerminal(why)}`;
}

function unreachableText({ placement }: JobStatus): string {
  const since = placement?.unreachable_since ?? null;
  return since === null ? "" : `, its node does not report since ${rfc3339(since)}`;
}

function pausedText({ paused, paused_by }: JobStatus): string {
  if (!paused) return "";
  return paused_by === "" ? " (paused)" : ` (paused by ${escapeTerminal(paused_by)})`;
}

/**
 * Returns the status in full, one line for each known fact.
 *
 * @param nowMs the time now, in milliseconds since 1970. With it, times have their age
 */
export function statusLines(print: Print, status: JobStatus, nowMs?: number): string[] {
  const timeText = (time: Timestamp | null) => {
    if (time === null) return "";
    const age = nowMs === undefined ? "" : ` (${formatAge(nowMs - time.seconds * 1_000)} ago)`;
    return `${rfc3339(time)}${age}`;
  };
  const labels = Object.entries(status.labels).map(([key, value]) => escapeTerminal(`${key}=${value}`));
  const rows: [string, string][] = [
    ["Id", escapeTerminal(status.id)],
    ["Name", escapeTerminal(status.name)],
    ["Rerun of", escapeTerminal(status.rerun_of)],
    ["State", colourByState(print, status, stateText(status))],
    ["Command", formatCommand(status.command, status.args)],
    ["Directory", escapeTerminal(status.cwd)],
    ["Owner", escapeTerminal(status.owner)],
    ["Runs as", escapeTerminal([status.user, status.group].filter((name) => name !== "").join(", group "))],
    ...optionRows(status),
    ["Engine's number", escapeTerminal(status.placement?.handle ?? "")],
    ["Node", escapeTerminal(status.placement?.node ?? "")],
    ["Labels", labels.join(", ")],
    ["Time limit", status.timeout_ms === 0 ? "" : formatDuration(status.timeout_ms)],
    ["Registered", timeText(status.registered_at)],
    ["Started", timeText(status.started_at)],
    ["Ended", timeText(status.ended_at)],
    ...endRows(status),
    ...usageRows(status.usage),
    [
      "Input",
      status.input ? `${formatBytes(status.input_bytes)}, ${status.input_closed ? "closed" : "open"}` : "",
    ],
    ["Stdout", formatBytes(status.stdout_bytes)],
    ["Stderr", formatBytes(status.stderr_bytes)],
    ["Output limit", outputLimitText(status)],
    ["Dropped", status.dropped_bytes === 0 ? "" : formatBytes(status.dropped_bytes)],
  ];
  return formatRows(rows);
}

const AT_LIMIT: Readonly<Record<OutputPolicy, string>> = {
  OUTPUT_POLICY_UNSPECIFIED: "",
  OUTPUT_POLICY_STOP: ", then the job is stopped",
  OUTPUT_POLICY_KEEP_NEWEST: ", of which the newest are kept",
  OUTPUT_POLICY_BLOCK: ", then the job waits",
};

function outputLimitText(status: JobStatus): string {
  return status.max_output_bytes === 0
    ? ""
    : `${formatBytes(status.max_output_bytes)}${AT_LIMIT[status.output_policy]}`;
}

/** Formats lines of the form `Name: value`, with the values in one column. Rows without a value are left out. */
export function formatRows(rows: readonly (readonly [string, string])[]): string[] {
  const shown = rows.filter(([, value]) => value !== "");
  return formatColumns(shown.map(([name, value]) => [name === "" ? "" : `${name}:`, value]), { gap: 1 }).split("\n");
}
