/** A job host without processes: it notes its calls, and a test decides what it answers. */
import type {
  HostCheck,
  HostedJobState,
  HostEvents,
  HostInfo,
  HostStart,
  HostWork,
  LiveState,
  LogState,
  OrphanedJob,
  RecoveredJob,
} from "../../../../worker/host/link.ts";
import type { ServedHost } from "../../../../worker/host/socket/served_connection.ts";
import type { Isolation } from "../../../../base/job_options/table.ts";
import type { StopOptions } from "../../../../worker/process/options.ts";
import type { InputChunk, InputOptions, InputResult, ProcessInput } from "../../../../worker/process/stdin.ts";
import type { TerminalSize } from "../../../../worker/terminal/size.ts";
import type { Usage } from "../../../../worker/process/usage.ts";

/** A log with this number of bytes of stdout. */
export function logState(bytes: number): LogState {
  return {
    start: { position: 0, offsets: { stdout: 0, stderr: 0 } },
    end: { position: bytes, offsets: { stdout: bytes, stderr: 0 } },
    totals: {
      stdoutBytes: bytes,
      stderrBytes: 0,
      droppedBytes: 0,
      stdoutSha256: Uint8Array.of(bytes % 256, 255, 0),
      stderrSha256: new Uint8Array(),
    },
  };
}

/** A job host without processes. */
export class FakeHost implements ServedHost {
  readonly info: HostInfo;
  readonly closed = new Promise<undefined>(() => {});
  /** Each call: its name and arguments. */
  readonly calls: unknown[][] = [];
  readonly watched = new Set<string>();
  /** The inputs of jobs. */
  readonly inputs = new Map<string, ProcessInput>();
  jobs: HostedJobState[] = [];
  events: HostEvents | undefined;
  /** Decides what a call does before its answer: it may wait or throw. */
  before: (name: string) => Promise<unknown> | unknown = () => {};

  constructor(instance: string) {
    this.info = {
      instance,
      pid: Deno.pid,
      startedAt: new Date(1_700_000_000_123),
      version: "1.2.3",
      cgroupText: "none",
    };
  }

  async #call<Value>(value: Value, ...call: unknown[]): Promise<Value> {
    this.calls.push(call);
    await this.before(String(call[0]));
    return value;
  }

  work(): Promise<HostWork> {
    return this.#call({ runningJobs: 2, isAttached: this.events !== undefined, isRetired: false }, "work");
  }

  attach(events: HostEvents): Promise<readonly HostedJobState[]> {
    this.events = events;
    return this.#call(this.jobs, "attach");
  }

  detach(events: HostEvents): void {
    if (this.events === events) this.events = undefined;
  }

  check(check: HostCheck): Promise<void> {
    return this.#call(undefined, "check", check);
  }

  isolations(): Promise<Readonly<Record<Isolation, string>>> {
    return this.#call({ NONE: "", PRIVATE: "no namespaces", STRICT: "x" } as Record<Isolation, string>, "isolations");
  }

  start(start: HostStart): Promise<void> {
    return this.#call(undefined, "start", start);
  }

  stop(id: string, options: StopOptions): Promise<void> {
    return this.#call(undefined, "stop", id, options);
  }

  signal(...args: [string, string, string?]): Promise<void> {
    return this.#call(undefined, "signal", ...args);
  }

  pause(...args: [string, string?]): Promise<void> {
    return this.#call(undefined, "pause", ...args);
  }

  resume(id: string): Promise<void> {
    return this.#call(undefined, "resume", id);
  }

  resize(id: string, size: TerminalSize): Promise<void> {
    return this.#call(undefined, "resize", id, size);
  }

  async writeInput(id: string, chunks: AsyncIterable<InputChunk>, options: InputOptions): Promise<InputResult> {
    const { signal: _, ...rest } = options;
    await this.#call(undefined, "writeInput", id, rest);
    return await this.inputs.get(id)!.accept(chunks, options);
  }

  usage(id: string): Promise<Usage | undefined> {
    return this.#call(id === "none" ? undefined : { cpuUserUs: 5, cpuSource: "PROC" }, "usage", id);
  }

  states(ids: readonly string[]): Promise<Readonly<Record<string, LiveState>>> {
    return this.#call(Object.fromEntries(ids.map((id) => [id, { log: logState(id.length) }])), "states", ids);
  }

  watch(id: string): Promise<LogState | undefined> {
    this.watched.add(id);
    return this.#call(id === "none" ? undefined : logState(7), "watch", id);
  }

  unwatch(id: string): void {
    this.watched.delete(id);
    void this.#call(undefined, "unwatch", id);
  }

  forget(id: string): void {
    void this.#call(undefined, "forget", id);
  }

  setRoom(bytes: number): void {
    void this.#call(undefined, "setRoom", bytes);
  }

  recover(job: OrphanedJob): Promise<RecoveredJob> {
    const recovered: RecoveredJob = {
      status: { state: "LOST", reason: "LOST", error: "gone", startedAt: new Date(5) },
      details: { output: { end: logState(9).end, totals: logState(9).totals }, outputBytes: 3 },
      survivors: [4, 5],
      isDenied: true,
    };
    return this.#call(recovered, "recover", job);
  }

  discard(instance: string): Promise<void> {
    return this.#call(undefined, "discard", instance);
  }

  deleteOutput(id: string): Promise<void> {
    return this.#call(undefined, "deleteOutput", id);
  }

  stopJobs(graceMs: number | undefined): Promise<void> {
    return this.#call(undefined, "stopJobs", graceMs);
  }

  retire(isRetired: boolean): void {
    void this.#call(undefined, "retire", isRetired);
  }

  succeed(): Promise<string> {
    return this.#call("next", "succeed");
  }

  async close(): Promise<void> {}
}
