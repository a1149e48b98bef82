/**
 * Counters, gauges and histograms with two outputs: Prometheus text, and OpenTelemetry if Deno exports it
 * (`OTEL_DENO=true`).
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import { type Attributes, metrics as telemetry } from "@opentelemetry/api";
import { PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";

/** The labels of one series. Values come from fixed sets, so the number of series is bounded. */
export type Labels = Attributes & Readonly<Record<string, string>>;

/** One value of a gauge or counter. */
export interface Sample {
  readonly value: number;
  readonly labels?: Labels;
}

/** Returns the current values of a gauge or counter. */
export type Read = () => readonly Sample[] | Promise<readonly Sample[]>;

/** The bounds of the buckets in seconds. */
const SECONDS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A reader that collects the metrics on request only. */
class OnDemandReader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * All instruments of one server. A name ends with its unit, as Prometheus requires, such as
 * `teleport_store_write_seconds`.
 *
 * Gauges are recorded for Deno instead of read by its callbacks. With callbacks that wait, Deno 2.9.6 hung at the end of
 * the program in 1 of 6 runs.
 */
export class Instruments implements Disposable {
  readonly #reader = new OnDemandReader();
  readonly #own = new MeterProvider({ readers: [this.#reader] }).getMeter("teleportd");
  /** The meter of Deno. It does nothing unless Deno exports. */
  readonly #deno = telemetry.getMeter("teleportd");
  // Without times and without metrics about the exporter itself.
  readonly #serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  readonly #copies: (() => Promise<void>)[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  /** The content type of the text. */
  readonly contentType = "text/plain; version=0.0.4; charset=utf-8";

  /** Adds a counter. The returned function adds 1. */
  counter(name: string, description: string): (labels?: Labels) => void {
    const counters = [this.#own, this.#deno].map((meter) => meter.createCounter(name, { description }));
    return (labels = {}) => {
      for (const counter of counters) counter.add(1, labels);
    };
  }

  /** Adds a histogram of durations. The returned function takes milliseconds. */
  durations(name: string, description: string): (durationMs: number, labels?: Labels) => void {
    const options = { description, unit: "s", advice: { explicitBucketBoundaries: SECONDS } };
    const histograms = [this.#own, this.#deno].map((meter) => meter.createHistogram(name, options));
    return (durationMs, labels = {}) => {
      for (const histogram of histograms) histogram.record(durationMs / 1000, labels);
    };
  }

  /** Adds a gauge that is read on request. */
  gauge(name: string, description: string, read: Read): void {
    this.#own.createObservableGauge(name, { description }).addCallback(async (result) => {
      for (const { value, labels = {} } of await read()) result.observe(value, labels);
    });
    const copy = this.#deno.createGauge(name, { description });
    this.#copies.push(async () => {
      for (const { value, labels = {} } of await read()) copy.record(value, labels);
    });
  }

  /** Adds a counter whose value is kept elsewhere and read on request. */
  total(name: string, description: string, read: Read): void {
    this.#own.createObservableCounter(name, { description }).addCallback(async (result) => {
      for (const { value, labels = {} } of await read()) result.observe(value, labels);
    });
    const copy = this.#deno.createCounter(name, { description });
    const before = new Map<string, number>();
    this.#copies.push(async () => {
      for (const { value, labels = {} } of await read()) {
        const series = JSON.stringify(labels);
        copy.add(value - (before.get(series) ?? 0), labels);
        before.set(series, value);
      }
    });
  }

  /** Copies gauges and totals to Deno from now on. */
  export(intervalMs: number): void {
    let isCopying = false;
    this.#timer = setInterval(async () => {
      if (isCopying) return;
      isCopying = true;
      // A value that cannot be read is left out: the server is about to end.
      await Promise.allSettled(this.#copies.map((copy) => copy()));
      isCopying = false;
    }, intervalMs);
    Deno.unrefTimer(this.#timer);
  }

  /** Ends the export. Must come before the sources of the values close. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /**
   * Returns all metrics as Prometheus text.
   *
   * @throws {AggregateError} when a gauge or counter cannot be read
   */
  async text(): Promise<string> {
    const { resourceMetrics, errors } = await this.#reader.collect();
    if (errors.length > 0) throw new AggregateError(errors, "Cannot read the metrics");
    return this.#serializer.serialize(resourceMetrics);
  }
}
