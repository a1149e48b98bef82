/** Opens the metrics if the administrator asks for them. Otherwise nothing of them is loaded, and no timer runs. */
import type { ServerEnvironment } from "../server_environment.ts";
import type { MetricsEndpoint } from "./endpoint.ts";
import type { Metrics } from "./metrics.ts";

/**
 * The default of OTEL_METRIC_EXPORT_INTERVAL, in milliseconds.
 *
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
const DEFAULT_INTERVAL_MS = 60_000;

/** The metrics of a server. */
export interface OpenMetrics extends AsyncDisposable {
  readonly metrics: Metrics;
  /** Messages for the log: where the metrics can be read. */
  readonly texts: readonly string[];
}

/**
 * Opens the metrics.
 *
 * @param listen the address of the Prometheus endpoint; undefined for none
 * @param env `OTEL_DENO=true` makes Deno export to OpenTelemetry
 * @returns undefined when there is neither an endpoint nor an export
 * @throws {StartError} when the endpoint cannot listen on that address
 */
export async function openMetrics(
  listen: string | undefined,
  { env, version }: Pick<ServerEnvironment, "env" | "version">,
): Promise<OpenMetrics | undefined> {
  const exports = env.OTEL_DENO === "true" || env.OTEL_DENO === "1";
  if (listen === undefined && !exports) return undefined;
  // Loaded on demand: the libraries take 50 ms and 17 MB.
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
    texts: [
      ...(endpoint === undefined ? [] : [`Metrics on ${endpoint.url}`]),
      ...(exports ? ["Metrics are exported through OpenTelemetry"] : []),
    ],
    async [Symbol.asyncDispose]() {
      metrics[Symbol.dispose]();
      await endpoint?.[Symbol.asyncDispose]();
    },
  };
}

function intervalMs(text: string | undefined): number {
  const value = Number(text);
  // Twice in each interval, so that an exported value is at most half an interval old.
  return (Number.isInteger(value) && value >= 100 ? value : DEFAULT_INTERVAL_MS) / 2;
}
