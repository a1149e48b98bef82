// Generated from job_worker.proto by `deno task generate`. Do not edit.

/** A time in UTC, as google.protobuf.Timestamp: seconds since 1970, and nanoseconds of the second. */
export interface Timestamp {
  seconds: number;
  nanos: number;
}

/** The calls of the service JobWorker: the request and answer of each, and which of them are streams. */
export interface JobWorkerCalls {
  /** Adds a job without starting it. The answer has its new id; its state is INITIAL. */
  Register: { request: JobRequest; response: JobStatus; stream: false };
  /**
   * Starts a job and streams every change of its status, up to the final one. A running job is not started again. A job
   * that has ended gives its final status alone. When an engine has a job that did not answer at the start, STARTING comes
   * once more, with its number.
   */
  Start: { request: StartRequest; response: JobStatus; stream: true };
  /**
   * Streams every change of a job's status, up to the final one, without starting it. INITIAL comes first when the job
   * was not started.
   */
  StatusStream: { request: StatusStreamRequest; response: JobStatus; stream: true };
  /** Returns the current status. */
  Status: { request: StatusRequest; response: JobStatus; stream: false };
  /**
   * Stops a job and returns its final status: SIGTERM, then SIGKILL after the grace period. A job that is not running
   * stays as it is, and its current status is returned.
   */
  Stop: { request: StopRequest; response: JobStatus; stream: false };
  /** Streams the output so far, then live output. Ends when the job is final and the last byte was sent. */
  GetOutput: { request: GetOutputRequest; response: JobOutput; stream: true };
  /** Sends a signal to the job's process group. FAILED_PRECONDITION when the job is not running. */
  Signal: { request: SignalRequest; response: JobStatus; stream: false };
  /**
   * Writes to the input of a running job, which must be registered with an input. The first message names the job. All
   * messages carry data, and one may end the input. A call that ends without that leaves the input open for a later call.
   * Messages are read as fast as the job reads. If the job ends or closes its input early, the call succeeds and the
   * answer says how many bytes were accepted.
   * Errors: FAILED_PRECONDITION while another call writes, and when the job is not running or has no open input.
   * OUT_OF_RANGE for an offset at which the caller cannot continue. ABORTED when the same writer has called again.
   */
  Input: { request: InputRequest; response: InputResponse; stream: false; requestStream: true };
  /**
   * Pauses all processes of a job. Its state does not change, its time limit continues, and a stop still works. A paused
   * job stays paused. FAILED_PRECONDITION when the job is not running, or is being stopped.
   */
  Pause: { request: PauseRequest; response: JobStatus; stream: false };
  /** Resumes all processes of a job. FAILED_PRECONDITION when the job is not running. */
  Resume: { request: ResumeRequest; response: JobStatus; stream: false };
  /**
   * Sets the size of a job's terminal. FAILED_PRECONDITION when the job has no terminal or is not running. Callers that
   * may write to the job's input may make this call.
   */
  Resize: { request: ResizeRequest; response: JobStatus; stream: false };
  /** Lists the jobs that the caller may see in pages, newest first by default. */
  List: { request: ListRequest; response: ListResponse; stream: false };
  /** Removes a job that has ended or was never started, and its output. FAILED_PRECONDITION while it runs. */
  Remove: { request: RemoveRequest; response: RemoveResponse; stream: false };
  /**
   * Watches many jobs that the caller may see: first the current status of each, oldest first, then every change. The
   * stream does not end by itself.
   */
  WatchJobs: { request: WatchJobsRequest; response: JobEvent; stream: true };
  /** Returns the caller's user and roles, and the rules that apply. */
  WhoAmI: { request: WhoAmIRequest; response: WhoAmIResponse; stream: false };
  /** Returns whether the caller may make a call, and by which rule. The call is not made. */
  CanI: { request: CanIRequest; response: CanIResponse; stream: false };
  /** Describes the server: version, limits, isolation, cgroups and disk use. For callers with a known role. */
  Info: { request: InfoRequest; response: InfoResponse; stream: false };
}

/** The state of a job. The last four are final and never change. */
export type State =
  | "STATE_UNSPECIFIED"
  | "STATE_INITIAL"
  | "STATE_STARTING"
  | "STATE_RUNNING"
  | "STATE_STOPPING"
  | "STATE_EXITED"
  | "STATE_KILLED"
  | "STATE_FAILED"
  | "STATE_LOST";

/** The reason why a job ended. */
export type Reason =
  | "REASON_UNSPECIFIED"
  | "REASON_EXITED"
  | "REASON_SIGNALED"
  | "REASON_STOPPED"
  | "REASON_TIMED_OUT"
  | "REASON_OUTPUT_LIMIT"
  | "REASON_OUT_OF_MEMORY"
  | "REASON_START_FAILED"
  | "REASON_LOST"
  | "REASON_SHUTDOWN"
  | "REASON_OUTPUT_FAILED";

/** The action when a job's output reaches its limit. */
export type OutputPolicy =
  | "OUTPUT_POLICY_UNSPECIFIED"
  | "OUTPUT_POLICY_STOP"
  | "OUTPUT_POLICY_KEEP_NEWEST"
  | "OUTPUT_POLICY_BLOCK";

/**
 * How far a job is separated from the host. At every level it still sees the processes of the host, and can signal those
 * of its own user.
 */
export type Isolation =
  | "ISOLATION_UNSPECIFIED"
  | "ISOLATION_PRIVATE"
  | "ISOLATION_STRICT";

/** One of the two output streams of a job. */
export type Stream =
  | "STREAM_UNSPECIFIED"
  | "STREAM_STDOUT"
  | "STREAM_STDERR";

/** A job to register. At most 2 MiB. */
export interface JobRequest {
  /** The program: a path, or a name to look up in the job's PATH. It is never passed through a shell. */
  command: string;
  /** The arguments. Together with env at most 65,536 entries and 1 MiB. An entry has at most 131,071 bytes. */
  args: string[];
  /** Variables in addition to the job's clean environment of PATH, HOME and LANG. At most 8,192 entries. */
  env: Record<string, string>;
  /** The working directory, an absolute path. Empty: the server's default. */
  cwd: string;
  /** At most 64 labels. A name or value has at most 256 characters. */
  labels: Record<string, string>;
  /** The time limit in milliseconds. The job is stopped when it has run this long. 0: no limit. */
  timeout_ms: number;
  /** The grace period of a stop in milliseconds, between SIGTERM and SIGKILL. Absent: 10,000. */
  grace_ms?: number;
  /** The most bytes of output to store. 0: the server's default. */
  max_output_bytes: number;
  output_policy: OutputPolicy;
  /**
   * A name for the request, so that it can be sent again after its answer was lost. The same name of the same user for the
   * same job returns the job that exists. ALREADY_EXISTS for a different job, and for a job that was removed since. The
   * server remembers the last 1,000 removed jobs. At most 128 characters.
   */
  request_id: string;
  /**
   * The name of the job: at most 64 of the characters A-Z a-z 0-9 _ . -. The first is a letter or digit. It is
   * not a UUID, nor a digit and only hexadecimal digits and dashes after it: those are ids and their beginnings.
   * INVALID_ARGUMENT for other names.
   * ALREADY_EXISTS while another job of the same user has the name and has not ended. Empty: no name.
   */
  name: string;
  /**
   * The id of a job whose cwd and env are used where this request gives none. Variables are compared by name. The caller
   * must own that job, or be allowed to do everything with it.
   */
  like: string;
  /**
   * The id of a job that is registered again with the same options. Only request_id, name, labels, input and terminal
   * may be given with it. Given labels and a given terminal replace those of the job, and its name is not repeated. The
   * caller must own that job, or be allowed to do everything with it.
   */
  rerun: string;
  /**
   * The user of the server's system that the job runs as, by name or number, with all groups of that user. Empty: the
   * server's own user. FAILED_PRECONDITION when the server cannot change its user. If the user does not exist, the job
   * ends FAILED.
   */
  user: string;
  /** The group that the job runs as, by name or number. Empty: the user's own. */
  group: string;
  /** The permission bits that files of the job do not get, at most octal 777. Absent: 022. */
  umask?: number;
  /** The nice value, at most 19. A higher value gives other processes priority. Default 0. */
  nice: number;
  /** The limits of each process of the job. FAILED_PRECONDITION for limits that cannot be enforced. */
  rlimits: Rlimits | null;
  /**
   * Lets the job's programs gain privileges, as set-user-id programs do. FAILED_PRECONDITION when the server runs with no
   * new privileges.
   */
  allow_new_privileges: boolean;
  /**
   * Gives the job the variables of the server's environment that the server offers. FAILED_PRECONDITION when it offers
   * none.
   */
  inherit_env: boolean;
  /** How far the job is separated from the host. FAILED_PRECONDITION when the host does not support it. */
  isolation: Isolation;
  /**
   * The OOM score adjustment, from -1000 (never killed) to 1000 (killed first); proc_pid_oom_score_adj(5). Absent: 0, or
   * the server's own where it cannot be lowered. FAILED_PRECONDITION below the server's own without CAP_SYS_RESOURCE.
   */
  oom_score_adj?: number;
  /** The limits of all processes of the job together. FAILED_PRECONDITION for limits that cannot be enforced. */
  cgroup_limits: CgroupLimits | null;
  /** True: the job has an input, which the call Input writes to. False: the job reads from /dev/null. */
  input: boolean;
  /**
   * The size of the terminal that the job runs on. Its output is one stream, stdout, and it has an input. Absent: the job
   * has no terminal.
   */
  terminal: TerminalSize | null;
  /** The name of a command in the server's policy, in place of command, args, env and cwd. */
  template: string;
  /** The values of the template's parameters. At most 32. A value has at most 1,024 characters. */
  parameters: Record<string, string>;
  /**
   * Where the job runs: "local" on the server's own machine, "slurm" on a node of a Slurm cluster. Empty: the server's
   * default. FAILED_PRECONDITION when the server has no such engine.
   */
  engine: string;
  /** The partition of the engine in which the job runs. Empty: the server's default. Only with an engine other than local. */
  partition: string;
  /** The features that the node must have, in the words of the engine, such as "gpu&bigmem". Only with an engine other than local. */
  node_constraint: string;
}

/** The size of a terminal in characters. */
export interface TerminalSize {
  /** From 1 to 10,000. */
  columns: number;
  /** From 1 to 10,000. */
  rows: number;
}

/** Limits of each process of a job, which it cannot raise; setrlimit(2). Absent: the server's default. */
export interface Rlimits {
  /** Mapped memory in bytes. Further allocations fail. Rounded down to a multiple of 1,024. */
  address_space_bytes?: number;
  /** Processor time in seconds. At the limit the process gets SIGXCPU, and SIGKILL a second later. */
  cpu_seconds?: number;
  /** Open descriptors at a time. At least 20. */
  open_files?: number;
  /** The size of a core file in bytes. 0: none is written. Rounded down to a multiple of 512. */
  core_bytes?: number;
  /**
   * The size up to which a file may be written, in bytes. Beyond it the process gets SIGXFSZ. Rounded down to a multiple
   * of 512.
   */
  file_bytes?: number;
  /** Processes and threads of the job's user, including those of other jobs. Does not limit root. */
  processes?: number;
}

/** Limits of all processes of a job together, by a cgroup. Absent: no limit. */
export interface CgroupLimits {
  /**
   * Memory in bytes, including page cache, without swap. A job that needs more is killed with the reason OUT_OF_MEMORY. At
   * least 1 MiB.
   */
  memory_bytes?: number;
  /** Processor cores, such as 1.5: that much processor time in each tenth of a second, on any cores. At least 0.01. */
  cpus?: number;
  /** Processes and threads at the same time. Starting one more fails. */
  processes?: number;
  /** Bytes read from the disk in a second. */
  read_bytes_per_s?: number;
  /** Bytes written to the disk in a second. */
  write_bytes_per_s?: number;
  /** A path on the disk for the two limits above. Empty: the job's working directory. */
  io_path: string;
}

/** The source of a figure in Usage. */
export type UsageSource =
  | "USAGE_SOURCE_UNSPECIFIED"
  | "USAGE_SOURCE_CGROUP"
  | "USAGE_SOURCE_RUSAGE"
  | "USAGE_SOURCE_PROC";

/** The resources that a job has used. Unknown figures are absent. */
export interface Usage {
  /** Processor time in user mode, in microseconds. */
  cpu_user_us?: number;
  /** Processor time in the kernel, in microseconds. */
  cpu_system_us?: number;
  cpu_source: UsageSource;
  /** Current memory in bytes. Absent after the job's end. */
  memory_bytes?: number;
  peak_memory_bytes?: number;
  memory_source: UsageSource;
  /** Current number of processes. Absent after the job's end. */
  processes?: number;
  /** The number of processes of the job that the kernel killed because memory was short. */
  oom_kills?: number;
}

/** The place of a job in an engine. */
export interface Placement {
  /** The number that the engine gave the job, for people. The engine may give it again later. */
  handle: string;
  /** The node. Empty until the job runs there. */
  node: string;
  /** The reason why a job in STARTING waits, in the words of the engine. */
  waits_for: string;
  /** Since when the node of a running job does not report. Absent while it does. */
  unreachable_since: Timestamp | null;
}

/** The status of a job. */
export interface JobStatus {
  id: string;
  state: State;
  /** The exit code. Only in EXITED. */
  exit_code?: number;
  /** The name of the signal, such as SIGTERM. Only in KILLED. */
  signal: string;
  /** Why the job could not be started, was lost, or was ended by the server. Empty otherwise. */
  error: string;
  /** The reason of the end. Only in a final state. */
  reason: Reason;
  command: string;
  args: string[];
  cwd: string;
  labels: Record<string, string>;
  /** The user who registered the job. */
  owner: string;
  registered_at: Timestamp | null;
  started_at: Timestamp | null;
  ended_at: Timestamp | null;
  /** The process id of the job's leader on the server. 0 before the start. */
  pid: number;
  /** The user whose call ended the job. */
  stopped_by: string;
  timeout_ms: number;
  /** Bytes of stdout stored so far. */
  stdout_bytes: number;
  /** Bytes of stderr stored so far. */
  stderr_bytes: number;
  /**
   * The kind of error, for programs: COMMAND_NOT_FOUND, NOT_EXECUTABLE, CWD_NOT_FOUND, CWD_NOT_ENTERABLE, USER_NOT_FOUND or
   * SPAWN_FAILED. Only in FAILED.
   */
  error_code: string;
  /** 0: no limit. */
  max_output_bytes: number;
  output_policy: OutputPolicy;
  /** Bytes of output that are not stored, because of a limit or a full disk. */
  dropped_bytes: number;
  /** The user that the job runs as. Empty: the server's own user. */
  user: string;
  /** The group that the job runs as. Empty: the user's own. */
  group: string;
  /** The limits in force, including the server's defaults and maxima. */
  rlimits: Rlimits | null;
  isolation: Isolation;
  oom_score_adj?: number;
  cgroup_limits: CgroupLimits | null;
  /**
   * The resources used: the total of a job that has ended. For a running job the values so far, only in the answer to
   * Status.
   */
  usage: Usage | null;
  /** When the job got SIGTERM to end it. */
  term_sent_at: Timestamp | null;
  /** When the job got SIGKILL, because it did not end after SIGTERM. */
  kill_sent_at: Timestamp | null;
  /** The number of survivors that were ended: processes of the job that were left after the leader's exit. */
  others_ended: number;
  /**
   * The number of survivors that could not be ended and may still run. They became another user's, which the server may
   * not signal, or the kernel held them.
   */
  others_left: number;
  /** True while all processes of the job are paused. */
  paused: boolean;
  /** The user who paused the job. Empty when it is not paused. */
  paused_by: string;
  /** The user who first started the job. */
  started_by: string;
  /** The user who first stopped the job. */
  stop_asked_by: string;
  /** The last 16 signals that users sent. */
  signals: SentSignal[];
  /** True when the job was registered with an input. */
  input: boolean;
  /** Bytes of the input accepted: written to the job's pipe, or about to be. 0 in LOST, where the number is unknown. */
  input_bytes: number;
  /** True when the input accepts no further data: a call ended it, or the job closed it or ended. */
  input_closed: boolean;
  /** The name of the job. Empty: it has none. */
  name: string;
  /** True when the job runs on a terminal, or ran on one. */
  terminal: boolean;
  /** The id of the job that this one repeats. Empty: it repeats none. */
  rerun_of: string;
  /** The engine that places the job on a node. Empty: the job runs on the server's own machine. */
  engine: string;
  partition: string;
  node_constraint: string;
  /** Where the engine has placed the job. Absent without an engine, and before the first start. */
  placement: Placement | null;
}

export interface StartRequest {
  id: string;
}

export interface StatusStreamRequest {
  id: string;
}

export interface StatusRequest {
  id: string;
}

export interface StopRequest {
  id: string;
  /** The grace period of this stop in milliseconds, between SIGTERM and SIGKILL. Absent: the job's own. */
  grace_ms?: number;
}

export interface PauseRequest {
  id: string;
}

export interface ResumeRequest {
  id: string;
}

export interface ResizeRequest {
  id: string;
  size: TerminalSize | null;
}

export interface GetOutputRequest {
  id: string;
  /** Continues after the message that had this cursor. Empty: from the first byte. */
  cursor: string;
  /** False: ends after the output so far. Absent: true. */
  follow?: boolean;
  /** Only this stream. Unspecified: both. */
  stream: Stream;
  /** Starts with the last lines of the output so far. Excludes cursor and tail_bytes. */
  tail_lines?: number;
  /** Starts with the last bytes of the output so far. Excludes cursor and tail_lines. */
  tail_bytes?: number;
  /** Starts after the last output that was read from the job before this time. */
  since: Timestamp | null;
  /**
   * Ends after the last output that was read from the job at this time or before. The summary may then have a status
   * that is not final.
   */
  until: Timestamp | null;
  /** True: each chunk that was read from the job at once is a separate message, with its own time. */
  exact_pieces: boolean;
  /**
   * The time between heartbeats in milliseconds: empty messages while the job writes nothing. The first comes at once,
   * with the cursor at which the output begins, unless output follows at once. 0: no heartbeats. At least 1,000.
   */
  heartbeat_ms: number;
  /** In place of since: an age in milliseconds before the call, by the server's clock. */
  since_age_ms?: number;
  /** In place of until: an age in milliseconds before the call, by the server's clock. */
  until_age_ms?: number;
  /**
   * Only lines of the selected output in which this regular expression of RE2 matches. At most 1,024 characters. Empty: all
   * output. A message has whole lines and the position of the first. Parts of a line above 64 KiB are messages without a
   * cursor, up to its last part. Only the beginning of such a line is compared, at least the first 2 KiB.
   */
  grep: string;
  /** True: upper and lower case are the same for grep. */
  grep_ignore_case: boolean;
}

/** A chunk of output. A message without data is a gap that a limit made, a heartbeat, or the summary. */
export interface JobOutput {
  /** Raw bytes as the job wrote them. They are never decoded, and may be cut anywhere. */
  data: Uint8Array;
  stream: Stream;
  /** The position of the first byte of data in its stream. */
  offset: number;
  /** The server's time when the first byte of data was read from the job. */
  time: Timestamp | null;
  /** Continues after this message. In the summary: after all output that was searched. */
  cursor: string;
  /** The summary. Only in the last message. */
  end: OutputEnd | null;
  /** Bytes of this stream that an output limit dropped right before offset. Such a message has no data. */
  dropped_bytes: number;
  /**
   * True when time is earlier than that of the output before it, because the server's clock was set back. Output keeps its
   * order.
   */
  clock_went_back: boolean;
}

/** The totals and digests of the whole output, with which a client verifies that it has all of it. */
export interface OutputEnd {
  stdout_bytes: number;
  stderr_bytes: number;
  /**
   * Bytes that are not stored, because of a limit or a full disk. Bytes that were never stored do not count in
   * stdout_bytes and stderr_bytes.
   */
  dropped_bytes: number;
  /** The digest of stdout from its first byte. Empty when it is unknown after a crash of the server. */
  stdout_sha256: Uint8Array;
  /** The digest of stderr from its first byte. Empty when it is unknown after a crash of the server. */
  stderr_sha256: Uint8Array;
  /** The final status. Without follow: the current status. */
  status: JobStatus | null;
}

export interface SignalRequest {
  id: string;
  /** A name with or without SIG (SIGHUP, HUP, SIGRTMIN+1), or a number from 1 to 64. */
  signal: string;
}

/** A part of a job's input. At most 300 KiB with all its fields. */
export interface InputRequest {
  /** The job. Only in the first message. */
  id: string;
  /**
   * A name for the writer, so that it can continue after its connection was cut. A call of the same writer replaces its
   * earlier call. At most 128 characters. Only in the first message.
   */
  writer: string;
  /**
   * The number of input bytes before the data of this call. If this writer was the last, data that the server has already
   * accepted is skipped. Absent: the data follows all accepted data. Only in the first message.
   */
  offset?: number;
  /** Raw bytes, at most 262,144. */
  data: Uint8Array;
  /** True: the input ends after the data, as a file does. Later messages are ignored. */
  end: boolean;
}

export interface InputResponse {
  /** Bytes of the input accepted in all, from every writer. The next call continues there. */
  input_bytes: number;
  /** Bytes accepted from this call. */
  taken_bytes: number;
  /** True when the input accepts no further data: a call ended it, or the job closed it or ended. */
  input_closed: boolean;
}

/** The time by which a list is sorted. Jobs without that time are left out. */
export type ListOrder =
  | "LIST_ORDER_UNSPECIFIED"
  | "LIST_ORDER_REGISTERED"
  | "LIST_ORDER_STARTED"
  | "LIST_ORDER_ENDED";

/** Which jobs to list: those that match all given fields. At most 256 KiB. */
export interface ListRequest {
  /** Jobs in one of these states. Empty: any. At most 64 entries. */
  states: State[];
  owner: string;
  /** Jobs that have all of these labels. At most 64. */
  labels: Record<string, string>;
  /** The most jobs of a page, at most 1,000. 0: 100. A page ends early when its jobs take 1 MB. */
  page_size: number;
  /** The token of the previous page. All fields except page_size must be the same as before. */
  page_token: string;
  /** Jobs with this text in the first 1,000 characters of command and arguments, joined by spaces. */
  command: string;
  registered_since: Timestamp | null;
  registered_until: Timestamp | null;
  ended_since: Timestamp | null;
  ended_until: Timestamp | null;
  order: ListOrder;
  oldest_first: boolean;
  /** In place of registered_since: an age in milliseconds before the call, by the server's clock. */
  registered_since_age_ms?: number;
  /** In place of registered_until: an age in milliseconds before the call, by the server's clock. */
  registered_until_age_ms?: number;
  /** In place of ended_since: an age in milliseconds before the call, by the server's clock. */
  ended_since_age_ms?: number;
  /** In place of ended_until: an age in milliseconds before the call, by the server's clock. */
  ended_until_age_ms?: number;
  /** Jobs with exactly this name. */
  name: string;
  /** Jobs whose id begins with this text of hexadecimal digits and dashes. */
  id_prefix: string;
}

export interface ListResponse {
  jobs: JobStatus[];
  /** The token of the next page. Empty on the last page. */
  next_page_token: string;
}

export interface RemoveRequest {
  id: string;
}

export type RemoveResponse = Record<string, never>;

/** Which jobs to watch: those that match all given fields. At most 256 KiB. */
export interface WatchJobsRequest {
  /** Jobs in one of these states. A change out of these states is also sent. Empty: any. At most 64 entries. */
  states: State[];
  owner: string;
  /** Jobs that have all of these labels. At most 64. */
  labels: Record<string, string>;
  /** As in ListRequest. */
  command: string;
  registered_since: Timestamp | null;
  registered_until: Timestamp | null;
  /** Only these jobs, at most 1,000. They are kept while they are watched. NOT_FOUND when one does not exist. */
  ids: string[];
  /**
   * Continues after the event that had this token. If the server no longer has the changes since then, the watch starts
   * again with KNOWN or CURRENT.
   */
  token: string;
  /**
   * The time between HEARTBEAT events in milliseconds, while nothing changes. With a token, the first comes at once. 0: no
   * heartbeats. At least 1,000.
   */
  heartbeat_ms: number;
  /** As in ListRequest. */
  registered_since_age_ms?: number;
  /** As in ListRequest. */
  registered_until_age_ms?: number;
}

/** The kind of a JobEvent. */
export type JobEventKind =
  | "JOB_EVENT_KIND_UNSPECIFIED"
  | "JOB_EVENT_KIND_KNOWN"
  | "JOB_EVENT_KIND_CURRENT"
  | "JOB_EVENT_KIND_CHANGED"
  | "JOB_EVENT_KIND_REMOVED"
  | "JOB_EVENT_KIND_HEARTBEAT";

/** A change of a job, or another event of WatchJobs. */
export interface JobEvent {
  kind: JobEventKind;
  /** The status at the change. Only the counts of its output are current. */
  job: JobStatus | null;
  /** When the job changed or was removed. */
  time: Timestamp | null;
  /** Continues after this event. */
  token: string;
  /** The reason of the change, if it has one. Also set when a user stops the job. */
  reason: Reason;
  /** The user whose call caused the change. */
  by: string;
}

/** A signal that a user sent to a job. */
export interface SentSignal {
  /** The user. */
  by: string;
  /** The name, such as SIGHUP. */
  signal: string;
  at: Timestamp | null;
}

export type WhoAmIRequest = Record<string, never>;

export interface WhoAmIResponse {
  user: string;
  /** All roles of the certificate. */
  roles: string[];
  /** The roles that the server's policy has. */
  known_roles: string[];
  /** SHA-256 of the certificate, in lower-case hexadecimal. */
  fingerprint: string;
  /** The serial number of the certificate, in upper-case hexadecimal. */
  serial_number: string;
  /** The end of the certificate's validity. */
  not_after: Timestamp | null;
  /** The rules that apply, as text. */
  rules: string[];
}

export interface CanIRequest {
  /** The name of the call, such as Register or Stop. */
  call: string;
  /** The job, for a call on a job. */
  id: string;
  /** The job that would be registered, for Register. */
  job: JobRequest | null;
}

export type InfoRequest = Record<string, never>;

export interface InfoResponse {
  /** The version of teleportd. */
  version: string;
  /** The version of the runtime, Deno. */
  runtime_version: string;
  started_at: Timestamp | null;
  /** The time since the start in milliseconds, by a monotonic clock. */
  uptime_ms: number;
  /** The limits in force, in the order of the server's documentation. */
  limits: ServerLimit[];
  /** All levels of isolation, and why this server does not support one. */
  isolations: IsolationSupport[];
  /** True when each job has a cgroup. */
  has_cgroups: boolean;
  /** The controllers that limit jobs, such as memory, cpu, io, pids. */
  cgroup_controllers: string[];
  /** The location of the cgroups, or why the server has none, as text. */
  cgroup_text: string;
  /** Bytes of the disk that jobs and their output use. */
  disk_bytes: number;
  /** The most bytes they may use. Absent: no limit. */
  max_disk_bytes?: number;
  /** Free bytes of the disk. Absent when jobs are kept in memory. */
  free_disk_bytes?: number;
  /** The number of jobs of all users. Absent for callers who may not see the jobs of all users. */
  jobs?: number;
  /** The number of running jobs of all users. Absent for callers who may not see the jobs of all users. */
  running_jobs?: number;
}

/** A limit of the server. */
export interface ServerLimit {
  /** The name, such as max_connections. It ends with the unit when the value is not a count: _bytes, _ms. */
  name: string;
  value: number;
}

/** Whether the server supports a level of isolation. */
export interface IsolationSupport {
  isolation: Isolation;
  /** Why the level is not supported. Empty when it is. */
  unavailable: string;
}

export interface CanIResponse {
  allowed: boolean;
  /** The rule that allows the call, or the reason why it is denied. */
  rule: string;
  /** The status that the call would fail with, such as PERMISSION_DENIED. OK when it is allowed. */
  code: string;
}
