/** Turns metrics on where the operator asks for them; else nothing of them is loaded, and no timer runs. */
import type { ServerEnvironment } from "../server_environment.ts";
import type { MetricsEndpoint } from "./endpoint.ts";
import type { Metrics } from "./metrics.ts";

/** As OpenTelemetry has it where the variable is absent: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
const DEFAULT_INTERVAL_MS = 60_000;

/** Metrics that are on. */
export interface OpenMetrics extends AsyncDisposable {
  readonly metrics: Metrics;
  /** Lines for the log of the start. */
  readonly lines: readonly string[];
}

/**
 * Opens the metrics.
 *
 * @param listen the address of the Prometheus endpoint; absent: none
 * @param env `OTEL_DENO=true` makes Deno export to OpenTelemetry
 * @returns undefined when neither is asked for
 * @throws {StartError} when the endpoint cannot be served there
 */
export async function openMetrics(
  listen: string | undefined,
  { env, version }: Pick<ServerEnvironment, "env" | "version">,
): Promise<OpenMetrics | undefined> {
  const exports = env.OTEL_DENO === "true" || env.OTEL_DENO === "1";
  if (listen === undefined && !exports) return undefined;
  // The libraries take 50 ms and 17 MB.
  const [{ Metrics }, { serveMetrics }] = await Promise.all([import("./metrics.ts"), import("./endpoint.ts")]);
  const metrics = new Metrics(version);
  if (exports) metrics.export(intervalMs(env.OTEL_METRIC_EXPORT_INTERVAL));
  let endpoint: MetricsEndpoint | undefined;
  try {
    if (listen !== undefined) endpoint = serveMetrics(listen, metrics);
  } catch (error) {
    metrics[Symbol.dispose]();
    throw error;
  }
  return {
    metrics,
    lines: [
      ...(endpoint === undefined ? [] : [`metrics on ${endpoint.url}`]),
      ...(exports ? ["metrics are exported through OpenTelemetry"] : []),
    ],
    async [Symbol.asyncDispose]() {
      metrics[Symbol.dispose]();
      await endpoint?.[Symbol.asyncDispose]();
    },
  };
}

function intervalMs(text: string | undefined): number {
  const value = Number(text);
  // Twice in each interval, so that what is exported is not older than half of it.
  return (Number.isInteger(value) && value >= 100 ? value : DEFAULT_INTERVAL_MS) / 2;
}
