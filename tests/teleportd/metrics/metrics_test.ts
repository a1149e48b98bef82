/**
 * The metrics endpoint as a monitor sees it, on a real server with real jobs.
 * Slow: it starts a server.
 */
import assert from "node:assert/strict";
import { StartError } from "../../../teleportd/start_error.ts";
import { serveMetrics } from "../../../teleportd/metrics/endpoint.ts";
import { spawnServer, teleport, teleportOk } from "../../support/programs.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { deadline } from "../../support/deadline.ts";

/** Returns the value of a series, such as `teleport_jobs{state="EXITED"}`; undefined when there is none. */
function valueOf(text: string, series: string): number | undefined {
  const line = text.split("\n").find((line) => line.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

Deno.test("teleportd --metrics serves the metrics of jobs and calls", async () => {
  await using temporary = await tempDir();
  const dir = temporary.path;
  const { process } = spawnServer({ dir, args: ["--metrics", "127.0.0.1:0"] });
  const log = process.stderr.pipeThrough(new TextDecoderStream()).getReader();
  try {
    let text = "";
    while (!/^listening on .*$/m.test(text) || !/ Metrics on .*$/m.test(text)) {
      const { done, value } = await deadline(log.read(), "output");
      assert.ok(!done, text);
      text += value;
    }
    const server = { dir, address: /^listening on (.*)$/m.exec(text)![1]! };
    const url = / Metrics on (.*)$/m.exec(text)![1]!;
    assert.equal((await teleport(server, "run", "--", "sh", "-c", "printf 12345; exit 3")).code, 3);
    assert.equal((await teleport(server, "status", "01900000-0000-7000-8000-000000000000")).code, 1);
    const secret = "a-secret-argument";
    await teleportOk(server, "run", "-d", "--label", `secret=${secret}`, "--", "sh", "-c", "exec sleep 60", secret);

    const answer = await fetch(url);
    assert.match(answer.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
    const metrics = await answer.text();
    const service = "/teleport.v1.JobWorker";
    for (
      const [series, wanted] of [
        ['teleport_jobs{state="EXITED"}', 1],
        ['teleport_job_ends_total{reason="EXITED"}', 1],
        ["teleport_job_starts_total", 2],
        ["teleport_output_bytes_total", 5],
        [`teleport_calls_total{method="${service}/Register",code="OK"}`, 2],
        [`teleport_calls_total{method="${service}/Status",code="NOT_FOUND"}`, 1],
        [`teleport_call_duration_seconds_count{method="${service}/Register"}`, 2],
        [`teleport_open_calls{method="${service}/Register"}`, 0],
      ] as const
    ) assert.equal(valueOf(metrics, series), wanted, series);
    for (
      const series of [
        "teleport_store_write_seconds_count",
        "teleport_audit_write_seconds_count",
        "teleport_loop_delay_seconds_count",
        "process_resident_memory_bytes",
        "process_open_fds",
      ]
    ) assert.ok((valueOf(metrics, series) ?? 0) > 0, series);
    assert.ok(!metrics.includes(secret), "no content of a job is in the metrics");

    const base = url.replace(/\/metrics$/, "");
    for (const [path, method, wanted] of [["/", "GET", 404], ["/metrics", "POST", 405]] as const) {
      const refused = await fetch(`${base}${path}`, { method });
      assert.equal(refused.status, wanted);
      await refused.body?.cancel();
    }
  } finally {
    process.kill("SIGTERM");
    while (!(await deadline(log.read(), "output")).done);
    assert.equal((await deadline(process.status, "the end of the process")).code, 0);
  }
});

Deno.test("serveMetrics() refuses an address that is not a loopback address", () => {
  const nothing = { contentType: "text/plain", text: () => Promise.resolve("") };
  for (const listen of ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.org:0"]) {
    assert.throws(() => serveMetrics(listen, nothing), StartError, listen);
  }
});

Deno.test("serveMetrics() makes one text for concurrent requests, and answers 500 when it cannot", async () => {
  let made = 0;
  let fails = false;
  const gate = Promise.withResolvers<void>();
  await using endpoint = serveMetrics("127.0.0.1:0", {
    contentType: "text/plain",
    text: async () => {
      made += 1;
      await gate.promise;
      if (fails) throw new Error("damaged");
      return "x 1\n";
    },
  });
  const asked = [fetch(endpoint.url), fetch(endpoint.url)];
  while (made === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  gate.resolve();
  const texts = await Promise.all(asked.map(async (answer) => await (await answer).text()));
  assert.deepEqual(texts, ["x 1\n", "x 1\n"]);
  fails = true;
  const failed = await fetch(endpoint.url);
  assert.equal(failed.status, 500);
  assert.ok(!(await failed.text()).includes("damaged"));
});
