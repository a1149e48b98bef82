/**
 * Counters, gauges and histograms that are shown in two ways: as Prometheus text, and through OpenTelemetry where Deno
 * exports it (`OTEL_DENO=true`).
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import { metrics as telemetry } from "@opentelemetry/api";
import prometheus from "prom-client";

/** Labels of one series. Values come from fixed sets, so the number of series is bounded. */
export type Labels = Readonly<Record<string, string>>;

/** One value of a gauge or counter. */
export interface Sample {
  readonly value: number;
  readonly labels?: Labels;
}

/** Reads the values of a gauge or counter now. */
export type Read = () => readonly Sample[] | Promise<readonly Sample[]>;

/** What each instrument is described by. */
export interface Description {
  /** With the unit as Prometheus wants it, such as `teleport_store_write_seconds`. */
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
}

/** From a tenth of a millisecond to ten seconds. */
const SECONDS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * All instruments of one server.
 *
 * OpenTelemetry gets gauges as recorded values, not through callbacks: with callbacks that wait, Deno 2.9.6 hung at the
 * end of the program in 1 of 6 runs.
 */
export class Instruments implements Disposable {
  readonly #registry = new prometheus.Registry();
  readonly #meter = telemetry.getMeter("teleportd");
  readonly #copies: (() => Promise<void>)[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  /** The type of the text for HTTP. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Adds a counter; the function that it returns adds 1. */
  counter(description: Description): (labels?: Labels) => void {
    const counter = new prometheus.Counter({ ...common(description), registers: [this.#registry] });
    const other = this.#meter.createCounter(description.name, { description: description.help });
    return (labels = {}) => {
      counter.inc({ ...labels });
      other.add(1, labels);
    };
  }

  /** Adds a histogram of durations; the function that it returns takes milliseconds. */
  durations(description: Description): (durationMs: number, labels?: Labels) => void {
    const histogram = new prometheus.Histogram({
      ...common(description),
      buckets: SECONDS,
      registers: [this.#registry],
    });
    const other = this.#meter.createHistogram(description.name, {
      description: description.help,
      unit: "s",
      advice: { explicitBucketBoundaries: SECONDS },
    });
    return (durationMs, labels = {}) => {
      histogram.observe({ ...labels }, durationMs / 1000);
      other.record(durationMs / 1000, labels);
    };
  }

  /** Adds a gauge that is read when somebody asks. */
  gauge(description: Description, read: Read): void {
    this.#observed(description, read, "gauge");
  }

  /** Adds a counter that is kept elsewhere and read when somebody asks. */
  total(description: Description, read: Read): void {
    this.#observed(description, read, "counter");
  }

  #observed(description: Description, read: Read, kind: "gauge" | "counter"): void {
    const options = { ...common(description), registers: [this.#registry] };
    if (kind === "gauge") {
      new prometheus.Gauge({
        ...options,
        async collect() {
          const samples = await read();
          this.reset();
          for (const { value, labels = {} } of samples) this.set({ ...labels }, value);
        },
      });
    } else {
      new prometheus.Counter({
        ...options,
        async collect() {
          const samples = await read();
          this.reset();
          for (const { value, labels = {} } of samples) this.inc({ ...labels }, value);
        },
      });
    }
    this.#copies.push(this.#copy(description, read, kind));
  }

  /** Makes a function that copies the values now to OpenTelemetry. */
  #copy({ name, help }: Description, read: Read, kind: "gauge" | "counter"): () => Promise<void> {
    if (kind === "gauge") {
      const gauge = this.#meter.createGauge(name, { description: help });
      return async () => {
        for (const { value, labels = {} } of await read()) gauge.record(value, labels);
      };
    }
    const counter = this.#meter.createCounter(name, { description: help });
    const before = new Map<string, number>();
    return async () => {
      for (const { value, labels = {} } of await read()) {
        const series = JSON.stringify(labels);
        counter.add(value - (before.get(series) ?? 0), labels);
        before.set(series, value);
      }
    };
  }

  /** Copies gauges and totals to OpenTelemetry from now on. */
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

  /** All of them as Prometheus text. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

function common({ name, help, labelNames = [] }: Description) {
  return { name, help, labelNames: [...labelNames] };
}
