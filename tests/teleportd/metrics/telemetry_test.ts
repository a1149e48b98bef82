/** Metrics through OpenTelemetry, as a collector receives them from a real server. */
import assert from "node:assert/strict";
import { deadline } from "../../support/deadline.ts";
import { tempDir } from "../../support/temp_dir.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;

Deno.test("OTEL_DENO=true exports the metrics by OTLP", async () => {
  await using temporary = await tempDir();
  const dir = temporary.path;
  const names = new Set<string>();
  const all = Promise.withResolvers<void>();
  const wanted = ["teleport_jobs", "teleport_loop_delay_seconds", "teleport_watchers"];
  await using collector = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    for (const [, name] of (await request.text()).matchAll(/"name": ?"(teleport_[a-z_]+)"/g)) names.add(name!);
    if (wanted.every((name) => names.has(name))) all.resolve();
    return new Response("{}", { headers: { "content-type": "application/json" } });
  });
  const args = ["run", "-q", "--no-prompt", "-A", "server.ts", "--init-certs", "--listen", "127.0.0.1:0"];
  const server = new Deno.Command(Deno.execPath(), {
    args: [...args, "--certs", `${dir}/certs`, "--data", `${dir}/data`],
    cwd: ROOT,
    env: {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.addr.port}`,
      OTEL_METRIC_EXPORT_INTERVAL: "200",
    },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    await deadline(all.promise, () => `the metrics, of which came ${[...names]}`);
  } finally {
    server.kill("SIGTERM");
    // The server must end although it exports. The runtime once hung here.
    const { code } = await deadline(server.status, "the end of the server").catch((error) => {
      server.kill("SIGKILL");
      throw error;
    });
    assert.equal(code, 0);
  }
});
