/** A job host under test with a supervisor attached, and its jobs. */
import { join } from "node:path";
import type { JobOptions, JobSpec, ProcessStatus } from "../../../../mod.ts";
import { isFinalState } from "../../../../mod.ts";
import { defined } from "../../../../base/defined.ts";
import type { HostEvents, HostLink, HostStart, JobChange, LogState } from "../../../../worker/host/link.ts";
import { EndedJob } from "../../../../worker/job/ended_job.ts";
import { newJobId } from "../../../../worker/job/id.ts";
import { restoreLog } from "../../../../worker/output/restore.ts";
import { deadline } from "../../../support/deadline.ts";
import { type TempDir, tempDir } from "../../../support/temp_dir.ts";

/** A shell that ends at once at SIGTERM. */
const SLEEP = "echo up; exec sleep 1000";

/** A job host that runs, without a supervisor. Disposing of it ends the host; its jobs have ended by then. */
export interface RunningHost extends AsyncDisposable {
  /** Returns a link, which nobody has attached to yet. The link may be the same at each call. */
  connect(): Promise<HostLink>;
}

/** A form of the link. */
export interface HostForm {
  /** Begins the names of the tests. */
  readonly name: string;
  /**
   * Starts a job host without cgroups.
   *
   * @param directory the data directory, with the directories `output` and `hosts`
   */
  start(directory: string): Promise<RunningHost>;
}

/** The events of a host, and waits for them. */
export class RecordedEvents implements HostEvents {
  readonly changes: JobChange[] = [];
  readonly growths: { readonly id: string; readonly range: Pick<LogState, "start" | "end"> }[] = [];
  readonly wantedBytes: number[] = [];
  readonly errors: Error[] = [];
  /** Called with each change before anything else sees it. */
  onChange: (change: JobChange) => void = () => {};
  /** Answers a wish for room. */
  onNeedsRoom: (bytes: number) => void = () => {};
  #wake = Promise.withResolvers<void>();

  changed(change: JobChange): void {
    this.onChange(change);
    this.changes.push(change);
    this.#changed();
  }

  grew(id: string, range: Pick<LogState, "start" | "end">): void {
    this.growths.push({ id, range });
    this.#changed();
  }

  needsRoom(bytes: number): void {
    this.wantedBytes.push(bytes);
    this.onNeedsRoom(bytes);
    this.#changed();
  }

  availability(): void {}

  failed(error: Error): void {
    this.errors.push(error);
    this.#changed();
  }

  #changed(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  /** Waits until an event makes a condition true. */
  async until(holds: () => boolean, what: string): Promise<void> {
    while (!holds()) await deadline(this.#wake.promise, what);
  }

  /** Returns the changes of a job. */
  of(id: string): readonly JobChange[] {
    return this.changes.filter((change) => change.id === id);
  }

  /** Waits for the change of a job to a state. */
  async state(id: string, state: ProcessStatus["state"]): Promise<JobChange> {
    const find = () => this.of(id).find(({ status }) => status.state === state);
    await this.until(() => find() !== undefined, `state ${state} of job "${id}"`);
    return find()!;
  }

  /** Waits for the last change of a job. */
  async end(id: string): Promise<JobChange> {
    const find = () => this.of(id).find(({ status }) => isFinalState(status.state));
    await this.until(() => find() !== undefined, `the end of job "${id}"`);
    return find()!;
  }

  /** Waits until the log of a watched job has this many bytes of standard output. */
  async stdoutBytes(id: string, bytes: number): Promise<void> {
    const has = () => this.growths.some((growth) => growth.id === id && growth.range.end.offsets.stdout >= bytes);
    await this.until(has, `${bytes} bytes of job "${id}"`);
  }
}

/** A job host under test. */
export class TestedHost implements AsyncDisposable {
  readonly #temporary: TempDir;
  readonly #host: RunningHost;
  link: HostLink;
  events = new RecordedEvents();

  private constructor(temporary: TempDir, host: RunningHost, link: HostLink) {
    this.#temporary = temporary;
    this.#host = host;
    this.link = link;
  }

  /** Starts a host and attaches to it. */
  static async start(form: HostForm): Promise<TestedHost> {
    const temporary = await tempDir();
    const host = await form.start(temporary.path);
    const tested = new TestedHost(temporary, host, await host.connect());
    await tested.link.attach(tested.events);
    return tested;
  }

  /** The data directory. */
  get directory(): string {
    return this.#temporary.path;
  }

  /** Makes another link, which nobody has attached to yet. */
  async connect(): Promise<HostLink> {
    return await this.#host.connect();
  }

  /** Ends the link, as a supervisor does that ends. */
  async leave(): Promise<void> {
    await this.link.close();
  }

  /** Attaches a new supervisor. Returns all jobs. */
  async attachAnew(): Promise<ReturnType<HostLink["attach"]>> {
    this.link = await this.#host.connect();
    this.events = new RecordedEvents();
    return await this.link.attach(this.events);
  }

  /** Returns the request for the start of a shell. */
  startOf(script: string, options: Partial<JobSpec> = {}, start: Partial<HostStart> = {}): HostStart {
    const spec = {
      id: newJobId(),
      command: "sh",
      args: ["-c", script],
      registeredAt: new Date(),
      cwd: "/",
      ...options,
    };
    return { spec, noNewPrivileges: false, baseEnv: {}, ...start };
  }

  /** Starts a shell. Returns the id of its job. */
  async run(script: string, options: Partial<JobSpec> & JobOptions = {}, by?: string): Promise<string> {
    const start = this.startOf(script, options, defined({ by }));
    await deadline(this.link.start(start), "a start");
    return start.spec.id;
  }

  /** Starts a shell that writes "up" when it is ready, and waits for that. */
  async runUp(script: string = SLEEP, options: Partial<JobSpec> & JobOptions = {}): Promise<string> {
    const id = await this.run(script, options);
    const log = await this.link.watch(id);
    if (log !== undefined && log.totals.stdoutBytes < 3) await this.events.stdoutBytes(id, 3);
    this.link.unwatch(id);
    return id;
  }

  /** Runs a shell to its end. */
  async ended(script: string, options: Partial<JobSpec> & JobOptions = {}): Promise<JobChange> {
    return await this.events.end(await this.run(script, options));
  }

  /** Reads the output of an ended job as text. */
  async outputOf({ id, status, details }: Pick<JobChange, "id" | "status" | "details">): Promise<string> {
    const { output } = details;
    if (output === undefined) throw new Error(`Job "${id}" has no output`);
    const log = restoreLog(id, { directory: join(this.directory, "output", id) }, output.end, output.totals);
    const job = new EndedJob({ id, command: "", args: [], registeredAt: new Date() }, log, status);
    let text = "";
    for await (const { data } of job.watchOutput()) text += new TextDecoder().decode(data);
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const link = await this.#host.connect();
    await deadline(link.stopJobs(0), "the end of all jobs");
    await link.close();
    await this.link.close();
    await this.#host[Symbol.asyncDispose]();
    await this.#temporary[Symbol.asyncDispose]();
  }
}
