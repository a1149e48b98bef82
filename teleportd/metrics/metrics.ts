/** The metrics of `teleportd`: names, labels and sources. A label never contains data of a job. */
import type { SupervisorStatistics } from "../../mod.ts";
import type { CallObserver } from "../../rpc/server/call_observer.ts";
import { Instruments, type Labels, type Sample } from "./instruments.ts";
import { watchLoopDelay } from "./loop_delay.ts";

/** The sources of the gauges. */
export interface MetricSources {
  statistics(): Promise<SupervisorStatistics>;
  /** Returns the open connections by class, such as `authenticated`. */
  connections(): Readonly<Record<string, number>>;
  /** Returns the refused and closed connections and calls since the start, by cause. */
  refusals(): Readonly<Record<string, number>>;
}

/** The metrics of one server. */
export class Metrics implements CallObserver, Disposable {
  readonly #instruments = new Instruments();
  readonly #calls: (labels: Labels) => void;
  readonly #durations: (durationMs: number, labels: Labels) => void;
  readonly #open = new Map<string, number>();
  readonly #loopDelay: Disposable;
  /** Receives the duration of each write to the store, in milliseconds. */
  readonly onStoreWrite: (durationMs: number) => void;
  /** Receives the duration of each write of the audit log, in milliseconds. */
  readonly onAuditWrite: (durationMs: number) => void;

  /** @param version the version of the server */
  constructor(version: string) {
    const make = this.#instruments;
    this.#calls = make.counter("teleport_calls_total", "Calls that ended, by method and status code");
    this.#durations = make.durations(
      "teleport_call_duration_seconds",
      "Time from a request's headers to its status, streams included",
    );
    this.onStoreWrite = make.durations(
      "teleport_store_write_seconds",
      "Time that a transaction of the store took; the server does nothing else meanwhile",
    );
    this.onAuditWrite = make.durations("teleport_audit_write_seconds", "Time that a write of the audit log took");
    this.#loopDelay = watchLoopDelay(
      make.durations("teleport_loop_delay_seconds", "Time by which a timer of the event loop was late"),
    );
    make.gauge(
      "teleport_open_calls",
      "Calls that are open, by method",
      () => [...this.#open].map(([method, value]) => ({ value, labels: { method } })),
    );
    make.gauge("teleport_build_info", "Always 1", () => [
      { value: 1, labels: { version, deno: Deno.version.deno } },
    ]);
    const startedAtSeconds = Date.now() / 1000 - performance.now() / 1000;
    make.gauge("process_start_time_seconds", "Start of the process, in seconds since 1970", () => [
      { value: startedAtSeconds },
    ]);
    make.gauge("process_resident_memory_bytes", "Memory of the process", () => [
      { value: Deno.memoryUsage().rss },
    ]);
    make.gauge("teleport_heap_bytes", "Memory that JavaScript uses", () => [
      { value: Deno.memoryUsage().heapUsed },
    ]);
    make.gauge("process_open_fds", "Open file descriptors", async () => [
      { value: await count(Deno.readDir("/proc/self/fd")) },
    ]);
  }

  begun(method: string): void {
    this.#open.set(method, (this.#open.get(method) ?? 0) + 1);
  }

  ended(method: string, code: string, durationMs: number): void {
    this.#open.set(method, (this.#open.get(method) ?? 0) - 1);
    this.#calls({ method, code });
    this.#durations(durationMs, { method });
  }

  /** Adds the metrics of the server's parts. */
  observe({ statistics, connections, refusals }: MetricSources): void {
    const make = this.#instruments;
    const value = (read: (now: SupervisorStatistics) => number) => async () => [{ value: read(await statistics()) }];
    make.gauge(
      "teleport_jobs",
      "Kept jobs by state",
      async () => labelled("state", (await statistics()).jobs),
    );
    make.total(
      "teleport_job_ends_total",
      "Ended jobs by reason",
      async () => labelled("reason", (await statistics()).ends),
    );
    make.total(
      "teleport_job_starts_total",
      "Started jobs, failed starts included",
      value((s) => s.starts),
    );
    make.total("teleport_output_bytes_total", "Bytes that jobs wrote", value((s) => s.outputBytes));
    make.gauge(
      "teleport_watchers",
      "Watchers of status and output of single jobs",
      value((s) => s.watchers),
    );
    make.gauge("teleport_disk_bytes", "Bytes of jobs and their output", value((s) => s.diskBytes));
    make.gauge(
      "teleport_disk_max_bytes",
      "The most that jobs and their output may take",
      value((s) => s.maxDiskBytes),
    );
    make.gauge(
      "teleport_connections",
      "Open connections by class",
      () => labelled("class", connections()),
    );
    make.total(
      "teleport_refusals_total",
      "Connections and calls that a limit refused",
      () => labelled("cause", refusals()),
    );
  }

  /** Starts the export through OpenTelemetry. */
  export(intervalMs: number): void {
    this.#instruments.export(intervalMs);
  }

  /** The content type of the text. */
  get contentType(): string {
    return this.#instruments.contentType;
  }

  /** Returns all metrics as Prometheus text. */
  text(): Promise<string> {
    return this.#instruments.text();
  }

  [Symbol.dispose](): void {
    this.#loopDelay[Symbol.dispose]();
    this.#instruments[Symbol.dispose]();
  }
}

function labelled(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([name, value]) => ({ value, labels: { [label]: name } }));
}

async function count(items: AsyncIterable<unknown>): Promise<number> {
  let number = 0;
  for await (const _ of items) number += 1;
  return number;
}
