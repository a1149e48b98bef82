// Generated from job_worker.proto by `deno task generate`. Do not edit.

/** A moment in UTC, as google.protobuf.Timestamp: seconds since 1970 and the nanoseconds within. */
export interface Timestamp {
  seconds: number;
  nanos: number;
}

/** The calls of the service JobWorker: what each takes, gives, and whether it gives or takes a stream. */
export interface JobWorkerCalls {
  /** Adds a job without starting it: a fresh id, state INITIAL. */
  Register: { request: JobRequest; response: JobStatus; stream: false };
  /**
   * Starts the job and streams every status change, closing at the final one. A running job: just the stream. An
   * ended job: its final status, then close.
   */
  Start: { request: StartRequest; response: JobStatus; stream: true };
  /** As Start, without starting: INITIAL comes first if the job was not started. */
  StatusStream: { request: StatusStreamRequest; response: JobStatus; stream: true };
  /** The status now. */
  Status: { request: StatusRequest; response: JobStatus; stream: false };
  /**
   * Stops the job (SIGTERM, then SIGKILL after the grace period) and returns the final status. A job that is not
   * running is left alone, and the status it has is returned.
   */
  Stop: { request: StopRequest; response: JobStatus; stream: false };
  /** All output so far, then live. Closes when the job is final and the last byte was sent. */
  GetOutput: { request: GetOutputRequest; response: JobOutput; stream: true };
  /** Sends a signal to the job's process group. FAILED_PRECONDITION when the job is not running. */
  Signal: { request: SignalRequest; response: JobStatus; stream: false };
  /**
   * Writes to the input of a running job, which must have been registered with one. The first message names the job;
   * further ones carry data, and one may end the input. Leaving without that closes nothing: a later call goes on.
   * Messages are read as the job reads, so one that does not holds up the caller. Where the job ends or closes its input
   * before all was taken, the call ends well with what was. One call at a time: FAILED_PRECONDITION for a second.
   * FAILED_PRECONDITION when the job does not run, has no input, or it was closed before; OUT_OF_RANGE for an offset at
   * which the caller cannot go on; ABORTED for a call whose writer has called again.
   */
  Input: { request: InputRequest; response: InputResponse; stream: false; requestStream: true };
  /**
   * Lets all processes of the job stand still; its state stays as it is, its time limit goes on, a stop is heard. A job
   * that is paused stays so. FAILED_PRECONDITION when the job is not running, or is being stopped.
   */
  Pause: { request: PauseRequest; response: JobStatus; stream: false };
  /** Lets all processes of the job go on. FAILED_PRECONDITION when the job is not running. */
  Resume: { request: ResumeRequest; response: JobStatus; stream: false };
  /** Lists the jobs the caller may see, newest first unless asked otherwise, page by page. */
  List: { request: ListRequest; response: ListResponse; stream: false };
  /** Forgets an ended or never started job and its output. FAILED_PRECONDITION while it runs. */
  Remove: { request: RemoveRequest; response: RemoveResponse; stream: false };
  /** Watches many jobs that the caller may see: each as it is, oldest first, then every change. Does not end by itself. */
  WatchJobs: { request: WatchJobsRequest; response: JobEvent; stream: true };
  /** Who the caller is to the server, and which rules that gives. */
  WhoAmI: { request: WhoAmIRequest; response: WhoAmIResponse; stream: false };
  /** Whether the caller may make a call, and by which rule. Nothing is done. */
  CanI: { request: CanIRequest; response: CanIResponse; stream: false };
  /** Describes the server: version, limits, what it can isolate and limit, disk use. For callers with a known role. */
  Info: { request: InfoRequest; response: InfoResponse; stream: false };
}

/** Where a job is in its life. The last four are final and never change. */
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

/** Why a job ended. */
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

/** What happens when a job's output reaches its limit. */
export type OutputPolicy =
  | "OUTPUT_POLICY_UNSPECIFIED"
  | "OUTPUT_POLICY_STOP"
  | "OUTPUT_POLICY_KEEP_NEWEST"
  | "OUTPUT_POLICY_BLOCK";

/** How far a job is set apart from the rest of the host. The host's processes it still sees, and reaches those of its user. */
export type Isolation =
  | "ISOLATION_UNSPECIFIED"
  | "ISOLATION_PRIVATE"
  | "ISOLATION_STRICT";

export type Stream =
  | "STREAM_UNSPECIFIED"
  | "STREAM_STDOUT"
  | "STREAM_STDERR";

/** At most 2 MiB. */
export interface JobRequest {
  /** The program: a path, or a name looked up in the job's PATH. Never passed through a shell. */
  command: string;
  /** Together with env at most 65,536 entries and 1 MiB, each at most 131,071 bytes. */
  args: string[];
  /** Added to the job's clean environment (PATH, HOME, LANG and what is given here). At most 8,192 entries. */
  env: Record<string, string>;
  /** Absolute. Empty: the server's default. */
  cwd: string;
  /** At most 64, each name and value at most 256 characters. */
  labels: Record<string, string>;
  /** The job is stopped when it has run this long. 0: no limit. */
  timeout_ms: number;
  /** How long a stop waits between SIGTERM and SIGKILL. Absent: 10,000. */
  grace_ms?: number;
  /** Bytes of output to record. 0: the server's default. */
  max_output_bytes: number;
  output_policy: OutputPolicy;
  /**
   * Names the request, so that it can be sent again when its answer was lost: the same one of the same user, for the
   * same job, gives the job that is there already. ALREADY_EXISTS for another job, and for one that was removed since,
   * until 1,000 others were. At most 128 characters.
   */
  request_id: string;
  /**
   * The user of the server's system that the job runs as, by name or number, with all of that user's groups. Empty: the
   * server's own. FAILED_PRECONDITION where the server cannot; a user that there is not makes the job FAILED.
   */
  user: string;
  /** Empty: the user's own. */
  group: string;
  /** The permission bits that files of the job do not get, at most octal 777. Absent: 022. */
  umask?: number;
  /** At most 19: others go first. 0 unless given. */
  nice: number;
  /** What each process of the job may use. FAILED_PRECONDITION for what cannot be enforced. */
  rlimits: Rlimits | null;
  /**
   * Lets the job's programs gain privileges, as set-user-id programs do. FAILED_PRECONDITION where the server has none
   * to gain.
   */
  allow_new_privileges: boolean;
  /**
   * Gives the job those variables of the server's environment that it is told to lend. FAILED_PRECONDITION where there
   * are none.
   */
  inherit_env: boolean;
  /** How far the job is set apart from the rest of the host. FAILED_PRECONDITION where the host lacks what it takes. */
  isolation: Isolation;
  /**
   * The OOM score adjustment, from -1000 (never killed) to 1000 (killed first); proc_pid_oom_score_adj(5). Absent: 0, or
   * the server's own where it cannot be lowered. FAILED_PRECONDITION below the server's own without CAP_SYS_RESOURCE.
   */
  oom_score_adj?: number;
  /** What all processes of the job together may use. FAILED_PRECONDITION for what cannot be enforced. */
  cgroup_limits: CgroupLimits | null;
  /** The job has an input, which Input writes to. False: it reads from /dev/null. */
  input: boolean;
  /** A command of the server's policy, in place of command, args, env and cwd. */
  template: string;
  /** The values of the template's parameters. At most 32, each at most 1,024 characters. */
  parameters: Record<string, string>;
}

/** Limits of each process of a job, which it cannot raise; setrlimit(2). Absent: the server's default. */
export interface Rlimits {
  /** Memory that is mapped; what is asked for beyond fails. Rounded down to 1,024. */
  address_space_bytes?: number;
  /** Processor time: SIGXCPU when it is used up, SIGKILL a second later. */
  cpu_seconds?: number;
  /** Descriptors open at a time, at least 20. */
  open_files?: number;
  /** Of a core file; 0: none is written. Rounded down to 512. */
  core_bytes?: number;
  /** To which a file may be written: SIGXFSZ beyond. Rounded down to 512. */
  file_bytes?: number;
  /** Processes and threads of the job's user, those of others' jobs included. Not for root, whom it does not hold. */
  processes?: number;
}

/** Limits of all processes of a job together, by a cgroup. Absent: none. */
export interface CgroupLimits {
  /** Memory, page cache included; no swap then. A job that needs more is killed, reason OUT_OF_MEMORY. At least 1 MiB. */
  memory_bytes?: number;
  /** Cores, such as 1.5: so much processor time in each tenth of a second, on whatever cores. At least 0.01. */
  cpus?: number;
  /** Processes and threads at the same time; to start one more fails. */
  processes?: number;
  /** What is read from and written to a disk in a second. */
  read_bytes_per_s?: number;
  write_bytes_per_s?: number;
  /** A path on the disk that those two are for. Empty: the job's working directory. */
  io_path: string;
}

/** Where a figure of use is from. */
export type UsageSource =
  | "USAGE_SOURCE_UNSPECIFIED"
  | "USAGE_SOURCE_CGROUP"
  | "USAGE_SOURCE_RUSAGE"
  | "USAGE_SOURCE_PROC";

/** What a job has used. What nobody knows is absent. */
export interface Usage {
  cpu_user_us?: number;
  cpu_system_us?: number;
  cpu_source: UsageSource;
  /** Now; only while the job runs. */
  memory_bytes?: number;
  peak_memory_bytes?: number;
  memory_source: UsageSource;
  /** Processes now; only while the job runs. */
  processes?: number;
  /** Processes of the job that the kernel killed for lack of memory. */
  oom_kills?: number;
}

export interface JobStatus {
  id: string;
  state: State;
  /** Set only in EXITED. */
  exit_code?: number;
  /** Set only in KILLED: the name, such as SIGTERM. */
  signal: string;
  /** Set only in FAILED and LOST: why. */
  error: string;
  /** Set only in a final state. */
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
  /** The process id of the job's leader on the server, once it was started. */
  pid: number;
  /** The user whose call ended the job. */
  stopped_by: string;
  timeout_ms: number;
  /** Bytes of output recorded so far. */
  stdout_bytes: number;
  stderr_bytes: number;
  /**
   * Set only in FAILED: which kind of error, for programs. COMMAND_NOT_FOUND, NOT_EXECUTABLE, CWD_NOT_FOUND,
   * CWD_NOT_ENTERABLE, USER_NOT_FOUND or SPAWN_FAILED.
   */
  error_code: string;
  /** 0: no limit. */
  max_output_bytes: number;
  output_policy: OutputPolicy;
  /** Bytes of output that are not on record any more, or never were, because of a limit or a full disk. */
  dropped_bytes: number;
  /** As whom it runs, where that is not the server's own user. */
  user: string;
  group: string;
  /** The limits that it is held to, the server's defaults and maxima among them. */
  rlimits: Rlimits | null;
  isolation: Isolation;
  oom_score_adj?: number;
  cgroup_limits: CgroupLimits | null;
  /** Of a job that has ended: in all. Of one that runs: so far; only in the answer to Status, which reads it. */
  usage: Usage | null;
  /** When it was asked to end with SIGTERM, and when it was killed because it had not. */
  term_sent_at: Timestamp | null;
  kill_sent_at: Timestamp | null;
  /** Processes of the job beside its leader that were still there at its end, and were ended. */
  others_ended: number;
  /**
   * Processes of the job beside its leader that could not be ended and may run still: they became another user's, whom
   * the server may not signal, or the kernel held them.
   */
  others_left: number;
  /** All processes of the job stand still, because this user paused it. */
  paused: boolean;
  paused_by: string;
  /** Who first asked for the start, and who for a stop; owner registered it. */
  started_by: string;
  stop_asked_by: string;
  /** Who sent which signal, the last 16. */
  signals: SentSignal[];
  /** Registered with an input. */
  input: boolean;
  /** Bytes of the input taken: in the job's pipe, or about to be. 0 in LOST, where it is not known. */
  input_bytes: number;
  /** Nothing more is taken: the input's end was asked for, or the job closed it or ended. */
  input_closed: boolean;
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
  /** Between SIGTERM and SIGKILL, for this stop. Absent: the job's own. */
  grace_ms?: number;
}

export interface PauseRequest {
  id: string;
}

export interface ResumeRequest {
  id: string;
}

export interface GetOutputRequest {
  id: string;
  /** Continue right behind the message that carried this cursor. Empty: from the first byte. */
  cursor: string;
  /** False: close after what is there so far. Absent: true. */
  follow?: boolean;
  /** One stream alone. Unspecified: both. */
  stream: Stream;
  /** Of what is there at the call, the last lines alone. Excludes cursor and tail_bytes. */
  tail_lines?: number;
  /** Of what is there at the call, the last bytes alone. Excludes cursor and tail_lines. */
  tail_bytes?: number;
  /** Only what is behind the last output that was read from the job before this time. */
  since: Timestamp | null;
  /**
   * Only what is up to the last output that was read from the job at this time or before; the stream closes then, with a
   * closing record whose status may not be final.
   */
  until: Timestamp | null;
  /** Leaves what was read from the job at once a message of its own, so that each has its time. */
  exact_pieces: boolean;
  /**
   * While there is no output, an empty message this often, so that a quiet stream is seen to live. The first comes at
   * once, with the cursor at which the output begins, unless output follows at once. 0: none. At least 1,000.
   */
  heartbeat_ms: number;
  /** In place of since: so many milliseconds before the call, by the server's clock. */
  since_age_ms?: number;
  /** In place of until: so many milliseconds before the call, by the server's clock. */
  until_age_ms?: number;
}

/** A piece of output; without data, a gap that a limit made, or a heartbeat; or, as the last message, the closing record. */
export interface JobOutput {
  /** Raw bytes as the job wrote them; never decoded, cut anywhere. */
  data: Uint8Array;
  stream: Stream;
  /** Of the first byte of data, in its stream. */
  offset: number;
  /** What the server's clock said when the first byte of data was read from the job. */
  time: Timestamp | null;
  /** Continues right behind this message; in the closing record, behind everything that was looked through. */
  cursor: string;
  /** The closing record: only in the last message, which has no data. */
  end: OutputEnd | null;
  /**
   * Bytes of this stream that are missing right before offset, for an output limit dropped them. Such a message has no
   * data.
   */
  dropped_bytes: number;
  /** True when time is earlier than that of the output before it: the server's clock was set back. Output keeps its order. */
  clock_went_back: boolean;
}

/** What the whole output amounts to, so that a client can prove that it has all of it. */
export interface OutputEnd {
  stdout_bytes: number;
  stderr_bytes: number;
  /**
   * Bytes that are not on record any more, or never were, because of a limit or a full disk. Those that never were do
   * not count in stdout_bytes and stderr_bytes.
   */
  dropped_bytes: number;
  /** Of each stream from its first byte. Empty where a crash of the server left it unknown. */
  stdout_sha256: Uint8Array;
  stderr_sha256: Uint8Array;
  /** The final status; where the request did not follow, the status now. */
  status: JobStatus | null;
}

export interface SignalRequest {
  id: string;
  /** A name with or without SIG (SIGHUP, HUP, SIGRTMIN+1), or a number from 1 to 64. */
  signal: string;
}

/** A piece of a job's input, at most 300 KiB with all its fields. What is not said of a field of the first message alone goes for all. */
export interface InputRequest {
  /** In the first message alone: the job. */
  id: string;
  /**
   * In the first message alone: a name for the writer, so that it can go on after its connection was cut, which the
   * server may not know of yet. The same one takes the place of its own call before. At most 128 characters.
   */
  writer: string;
  /**
   * In the first message alone: how many bytes of the input come before the data of this call. What the server has taken
   * of the data already is passed over, if this writer was the last. Absent: the data goes behind all that was taken.
   */
  offset?: number;
  /** Raw bytes, at most 262,144. */
  data: Uint8Array;
  /** Behind the data the input ends, as a file does. What is sent after it is not looked at. */
  end: boolean;
}

export interface InputResponse {
  /** Bytes of the input taken in all, by every writer: where the next call goes on. */
  input_bytes: number;
  /** Those of them that this call brought. */
  taken_bytes: number;
  /** Nothing more is taken: the input's end was asked for, or the job closed it or ended. */
  input_closed: boolean;
}

/** By what a list is sorted. Jobs without that time are left out. */
export type ListOrder =
  | "LIST_ORDER_UNSPECIFIED"
  | "LIST_ORDER_REGISTERED"
  | "LIST_ORDER_STARTED"
  | "LIST_ORDER_ENDED";

/** At most 256 KiB. */
export interface ListRequest {
  /** Jobs in one of these states. Empty: any. At most 64 entries. */
  states: State[];
  owner: string;
  /** Jobs that have all of these labels. At most 64. */
  labels: Record<string, string>;
  /** At most 1,000. 0: 100. A page ends early when its jobs take 1 MB. */
  page_size: number;
  /** From the response before. The other fields must be as they were then, but for page_size. */
  page_token: string;
  /** Jobs with this text in the first 1,000 characters of command and arguments, which a space joins. */
  command: string;
  registered_since: Timestamp | null;
  registered_until: Timestamp | null;
  ended_since: Timestamp | null;
  ended_until: Timestamp | null;
  order: ListOrder;
  oldest_first: boolean;
  /** In place of the moments above: so many milliseconds before the call, by the server's clock. */
  registered_since_age_ms?: number;
  registered_until_age_ms?: number;
  ended_since_age_ms?: number;
  ended_until_age_ms?: number;
}

export interface ListResponse {
  jobs: JobStatus[];
  /** Empty on the last page. */
  next_page_token: string;
}

export interface RemoveRequest {
  id: string;
}

export type RemoveResponse = Record<string, never>;

/** Which jobs to watch: those for which all that is given holds. At most 256 KiB. */
export interface WatchJobsRequest {
  /** Jobs in one of these states. A change by which a job leaves them is told too. Empty: any. At most 64 entries. */
  states: State[];
  owner: string;
  /** Jobs that have all of these labels. At most 64. */
  labels: Record<string, string>;
  /** As in ListRequest. */
  command: string;
  registered_since: Timestamp | null;
  registered_until: Timestamp | null;
  /** These jobs alone, at most 1,000; they are kept while they are watched. NOT_FOUND when one is not there. */
  ids: string[];
  /**
   * Continue right behind the event that carried this token. Where that is too long ago, the watch begins anew, with
   * KNOWN or CURRENT.
   */
  token: string;
  /**
   * While nothing changes, a HEARTBEAT this often, so that a quiet stream is seen to live. With a token, the first
   * comes at once. 0: none. At least 1,000.
   */
  heartbeat_ms: number;
  /** As in ListRequest. */
  registered_since_age_ms?: number;
  registered_until_age_ms?: number;
}

export type JobEventKind =
  | "JOB_EVENT_KIND_UNSPECIFIED"
  | "JOB_EVENT_KIND_KNOWN"
  | "JOB_EVENT_KIND_CURRENT"
  | "JOB_EVENT_KIND_CHANGED"
  | "JOB_EVENT_KIND_REMOVED"
  | "JOB_EVENT_KIND_HEARTBEAT";

export interface JobEvent {
  kind: JobEventKind;
  /** As it was then, but for the counts of its output, which are as of now. */
  job: JobStatus | null;
  /** When it changed or was forgotten. */
  time: Timestamp | null;
  /** Continues right behind this event. */
  token: string;
  /** Why it changed, where there is a reason: also when a stop was asked for. */
  reason: Reason;
  /** The user who asked for the change. */
  by: string;
}

export interface SentSignal {
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
  /** Those of them that the server's policy knows. */
  known_roles: string[];
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  fingerprint: string;
  /** Upper-case hexadecimal. */
  serial_number: string;
  not_after: Timestamp | null;
  /** The rules that apply, in words. */
  rules: string[];
}

export interface CanIRequest {
  /** The name, such as Register or Stop. */
  call: string;
  /** For a call on a job: which. */
  id: string;
  /** For Register: the job that would be registered. */
  job: JobRequest | null;
}

export type InfoRequest = Record<string, never>;

export interface InfoResponse {
  /** The version of teleportd. */
  version: string;
  /** The version of the runtime, Deno. */
  runtime_version: string;
  started_at: Timestamp | null;
  /** Time since the start by a clock that nobody sets. */
  uptime_ms: number;
  /** Limits that are in force, in the order in which the server's documentation has them. */
  limits: ServerLimit[];
  /** Every level of isolation, with the reason where this server cannot give it. */
  isolations: IsolationSupport[];
  /** Whether each job has a cgroup. */
  has_cgroups: boolean;
  /** Controllers that limit jobs, such as memory, cpu, io, pids. */
  cgroup_controllers: string[];
  /** What the server says of cgroups at its start: where they are, or why there are none. */
  cgroup_text: string;
  /** Bytes that jobs and their output take on the disk. */
  disk_bytes: number;
  /** The most that they may take. Absent without a bound. */
  max_disk_bytes?: number;
  /** Bytes that are free on the disk. Absent for jobs that are kept in memory. */
  free_disk_bytes?: number;
  /** Kept and running jobs of all users. Absent for callers who may not see the jobs of all users. */
  jobs?: number;
  running_jobs?: number;
}

/** A limit of the server. */
export interface ServerLimit {
  /** Such as max_connections; the name ends with the unit where the value is no count: _bytes, _ms. */
  name: string;
  value: number;
}

/** Whether jobs can be isolated at a level. */
export interface IsolationSupport {
  isolation: Isolation;
  /** Why it cannot be had. Empty where it can. */
  unavailable: string;
}

export interface CanIResponse {
  allowed: boolean;
  /** The rule that allows it; when denied, why. */
  rule: string;
  /** What the call would fail with, such as PERMISSION_DENIED; OK when allowed. */
  code: string;
}
