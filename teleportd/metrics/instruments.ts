/**
 * Counters, gauges and histograms that are shown in two ways: as Prometheus text, and through OpenTelemetry where Deno
 * exports it (`OTEL_DENO=true`).
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import { type Attributes, metrics as telemetry } from "@opentelemetry/api";
import { PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";

/** Labels of one series. Values come from fixed sets, so the number of series is bounded. */
export type Labels = Attributes & Readonly<Record<string, string>>;

/** One value of a gauge or counter. */
export interface Sample {
  readonly value: number;
  readonly labels?: Labels;
}

/** Reads the values of a gauge or counter now. */
export type Read = () => readonly Sample[] | Promise<readonly Sample[]>;

/** From a tenth of a millisecond to ten seconds. */
const SECONDS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Reads the metrics when a monitor asks. */
class OnDemandReader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * All instruments of one server. Each has a name with its unit as Prometheus wants it, such as
 * `teleport_store_write_seconds`.
 *
 * Deno gets gauges as recorded values, not through callbacks: with callbacks that wait, Deno 2.9.6 hung at the end of the
 * program in 1 of 6 runs.
 */
export class Instruments implements Disposable {
  readonly #reader = new OnDemandReader();
  readonly #own = new MeterProvider({ readers: [this.#reader] }).getMeter("teleportd");
  /** Does nothing unless Deno exports. */
  readonly #deno = telemetry.getMeter("teleportd");
  // Without times, without metrics about the exporter itself.
  readonly #serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  readonly #copies: (() => Promise<void>)[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  /** The type of the text for HTTP. */
  readonly contentType = "text/plain; version=0.0.4; charset=utf-8";

  /** Adds a counter; the function that it returns adds 1. */
  counter(name: string, description: string): (labels?: Labels) => void {
    const counters = [this.#own, this.#deno].map((meter) => meter.createCounter(name, { description }));
    return (labels = {}) => {
      for (const counter of counters) counter.add(1, labels);
    };
  }

  /** Adds a histogram of durations; the function that it returns takes milliseconds. */
  durations(name: string, description: string): (durationMs: number, labels?: Labels) => void {
    const options = { description, unit: "s", advice: { explicitBucketBoundaries: SECONDS } };
    const histograms = [this.#own, this.#deno].map((meter) => meter.createHistogram(name, options));
    return (durationMs, labels = {}) => {
      for (const histogram of histograms) histogram.record(durationMs / 1000, labels);
    };
  }

  /** Adds a gauge that is read when somebody asks. */
  gauge(name: string, description: string, read: Read): void {
    this.#own.createObservableGauge(name, { description }).addCallback(async (result) => {
      for (const { value, labels = {} } of await read()) result.observe(value, labels);
    });
    const copy = this.#deno.createGauge(name, { description });
    this.#copies.push(async () => {
      for (const { value, labels = {} } of await read()) copy.record(value, labels);
    });
  }

  /** Adds a counter that is kept elsewhere and read when somebody asks. */
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
      // What cannot be read is left out: the server is about to end.
      await Promise.allSettled(this.#copies.map((copy) => copy()));
      isCopying = false;
    }, intervalMs);
    Deno.unrefTimer(this.#timer);
  }

  /** Ends the export, before what is read goes away. */
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
