/** The live view of `teleport top`: it draws on the other screen of the terminal, and leaves the first one as it was. */
import { sleep } from "../../base/backoff.ts";
import type { Sent } from "../../proto/service.ts";
import type { WatchJobsRequest } from "../../proto/teleport/v1/job_worker.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import type { Context } from "../context.ts";
import { followJobs } from "../follow/follow_jobs.ts";
import { Outages } from "../follow/outage.ts";
import { enterRawMode } from "../terminal/raw_mode.ts";
import { type JobSamples, SORT_KEYS, type SortKey } from "./job_samples.ts";
import { sampleJobs } from "./sampling.ts";
import { HEAD_LINES, screenLines } from "./top_screen.ts";

/** The time between two samples, and between two drawings of events, in milliseconds. */
const SAMPLE_MS = 2_000;
const DRAW_MS = 100;

/** The other screen without a cursor, and the first screen again. */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/** Shows the jobs until the user leaves, the signal aborts, or the connection is lost for too long. */
export async function showLive(
  context: Context,
  request: Sent<WatchJobsRequest>,
  samples: JobSamples,
  options: { readonly sort: SortKey; readonly signal: AbortSignal; readonly retryForMs?: number | undefined },
): Promise<void> {
  const { calls, io, print } = context;
  const encoder = new TextEncoder();
  const over = Promise.withResolvers<void>();
  over.promise.catch(() => {});
  const stopping = new AbortController();
  const view = { sort: options.sort, offset: 0, note: "" };
  let timer: ReturnType<typeof setTimeout> | undefined;
  let drawing = Promise.resolve();

  const size = () => io.terminal.size();
  const visible = () =>
    samples.sorted(view.sort).slice(view.offset, view.offset + Math.max(0, size().rows - HEAD_LINES));
  const draw = () => {
    timer = undefined;
    view.offset = Math.max(0, Math.min(view.offset, samples.size - 1));
    const lines = screenLines(print, samples.sorted(view.sort), view, size());
    const text = `\x1b[H${lines.map((line) => `${line}\x1b[K`).join("\r\n")}\x1b[J`;
    // A slow terminal gets the newest screen when it has taken the last one.
    drawing = drawing.then(() => print.bytes("stdout", encoder.encode(text))).catch(over.reject);
  };
  const drawSoon = () => {
    timer ??= setTimeout(() => void drawing.then(draw), DRAW_MS);
  };
  const outages = new Outages({
    note: (sentence) => {
      view.note = sentence === "The server is back" ? "" : escapeTerminal(sentence);
      drawSoon();
      return Promise.resolve();
    },
  }, options.retryForMs);

  const watch = async () => {
    for await (const event of followJobs(calls, request, outages, stopping.signal)) {
      if (stopping.signal.aborted) return;
      samples.apply(event);
      drawSoon();
    }
  };
  const sample = async () => {
    while (!stopping.signal.aborted) {
      const began = io.nowMs();
      await sampleJobs(calls, samples, visible(), () => io.nowMs(), stopping.signal);
      drawSoon();
      // The first jobs arrive a moment after the start.
      const pauseMs = samples.size === 0 ? DRAW_MS : Math.max(DRAW_MS, SAMPLE_MS - (io.nowMs() - began));
      // A rejection only means that the signal has aborted.
      await sleep(pauseMs, stopping.signal).catch(() => {});
    }
  };
  const onKey = (key: string) => {
    const page = Math.max(1, size().rows - HEAD_LINES);
    if (key === "q" || key === "Q" || key === "\x03" || key === "\x04") over.resolve();
    else if (key === "s") view.sort = SORT_KEYS[(SORT_KEYS.indexOf(view.sort) + 1) % SORT_KEYS.length]!;
    else if (key === "j" || key === "\x1b[B" || key === "\x1bOB") view.offset += 1;
    else if (key === "k" || key === "\x1b[A" || key === "\x1bOA") view.offset -= 1;
    else if (key === " " || key === "\x1b[6~") view.offset += page;
    else if (key === "\x1b[5~") view.offset -= page;
    drawSoon();
  };

  const leave = encoder.encode(LEAVE);
  using cleanUp = new DisposableStack();
  cleanUp.use(io.terminal.onCrash(() => leave));
  cleanUp.use(io.terminal.onResize(drawSoon));
  cleanUp.use(io.terminal.onContinue(() => {
    drawing = drawing.then(() => print.bytes("stdout", encoder.encode(ENTER))).catch(over.reject);
    drawSoon();
  }));
  const stop = () => over.reject(options.signal.reason);
  options.signal.addEventListener("abort", stop);
  try {
    if (io.terminal.isTerminal()) {
      cleanUp.use(enterRawMode(io.terminal));
      void readKeys(io.stdin, onKey).then(over.resolve, over.reject);
    }
    await print.bytes("stdout", encoder.encode(ENTER));
    draw();
    void watch().catch(over.reject);
    void sample().catch(over.reject);
    if (options.signal.aborted) stop();
    await over.promise;
  } finally {
    options.signal.removeEventListener("abort", stop);
    stopping.abort();
    clearTimeout(timer);
    await drawing;
    await print.bytes("stdout", leave).catch(() => {});
  }
}

// deno-lint-ignore no-control-regex
const KEY = /\x1b[[O][\d;]*[A-Za-z~]|[^]/gu;

/** Calls the listener for each key, to the end of the input. */
async function readKeys(stdin: Context["io"]["stdin"], onKey: (key: string) => void): Promise<void> {
  const buffer = new Uint8Array(256);
  const decoder = new TextDecoder();
  while (true) {
    const count = await stdin.read(buffer);
    if (count === null) return;
    for (const [key] of decoder.decode(buffer.subarray(0, count), { stream: true }).matchAll(KEY)) onKey(key);
  }
}
