/** Messages of a server for the tests of the command line: statuses and outputs of jobs. */
import type { JobOutput, JobStatus } from "../../proto/teleport/v1/job_worker.ts";

/** Makes a status with defaults for the fields that a test does not set. */
export function jobStatus(fields: Partial<JobStatus> = {}): JobStatus {
  return {
    id: "job-1",
    state: "STATE_INITIAL",
    signal: "",
    error: "",
    error_code: "",
    reason: "REASON_UNSPECIFIED",
    command: "true",
    args: [],
    cwd: "",
    labels: {},
    owner: "ada",
    registered_at: { seconds: 1_800_000_000, nanos: 0 },
    started_at: null,
    ended_at: null,
    pid: 0,
    stopped_by: "",
    timeout_ms: 0,
    stdout_bytes: 0,
    stderr_bytes: 0,
    max_output_bytes: 0,
    output_policy: "OUTPUT_POLICY_UNSPECIFIED",
    dropped_bytes: 0,
    user: "",
    group: "",
    rlimits: null,
    isolation: "ISOLATION_UNSPECIFIED",
    cgroup_limits: null,
    usage: null,
    term_sent_at: null,
    kill_sent_at: null,
    others_ended: 0,
    others_left: 0,
    paused: false,
    paused_by: "",
    started_by: "",
    stop_asked_by: "",
    signals: [],
    input: false,
    input_bytes: 0,
    input_closed: false,
    name: "",
    terminal: false,
    rerun_of: "",
    engine: "",
    partition: "",
    node_constraint: "",
    placement: null,
    ...fields,
  };
}

/** Makes the status of a job that exited with this code. */
export function exited(code: number): JobStatus {
  return jobStatus({ state: "STATE_EXITED", reason: "REASON_EXITED", exit_code: code, pid: 4711 });
}

/** Makes the status of a running job. */
export function running(): JobStatus {
  return jobStatus({ state: "STATE_RUNNING", pid: 4711 });
}

/** Makes the messages of an output from chunks, with the summary at the end. */
export async function outputOf(
  chunks: readonly ["stdout" | "stderr", Uint8Array<ArrayBuffer> | string][],
  status: JobStatus,
): Promise<JobOutput[]> {
  const bytes = { stdout: new Uint8Array(), stderr: new Uint8Array() };
  const messages: JobOutput[] = [];
  for (const [stream, content] of chunks) {
    const data = typeof content === "string" ? new TextEncoder().encode(content) : content;
    messages.push({
      data,
      stream: stream === "stdout" ? "STREAM_STDOUT" : "STREAM_STDERR",
      offset: bytes[stream].length,
      time: { seconds: 1_800_000_000, nanos: 500_000_000 },
      cursor: `c${messages.length}`,
      dropped_bytes: 0,
      clock_went_back: false,
      end: null,
    });
    bytes[stream] = new Uint8Array([...bytes[stream], ...data]);
  }
  const sha256 = async (data: Uint8Array<ArrayBuffer>) => new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  messages.push({
    data: new Uint8Array(),
    stream: "STREAM_UNSPECIFIED",
    offset: 0,
    time: null,
    cursor: "end",
    dropped_bytes: 0,
    clock_went_back: false,
    end: {
      stdout_bytes: bytes.stdout.length,
      stderr_bytes: bytes.stderr.length,
      dropped_bytes: 0,
      stdout_sha256: await sha256(bytes.stdout),
      stderr_sha256: await sha256(bytes.stderr),
      status,
    },
  });
  return messages;
}
