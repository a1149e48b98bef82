/** Runs one client or several at once as a user does, in a shell, and measures what they cost. */
import { machineCpuMs, peakBytes, threadCpuMs } from "../process_facts.ts";

/** One program and the place of its data. */
export interface ClientRun {
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The file that is the standard input. Absent: none. */
  readonly input?: string;
}

/** The costs of all clients together. */
export interface ClientCosts {
  /** From the start of the first to the end of the last. */
  readonly seconds: number;
  /** The processor time of the clients, from wait4(2). */
  readonly cpuSeconds: number;
  /** The sum of the most memory of each. */
  readonly peakBytes: number;
  /** The most that the main thread of one client was busy, as a share of the time. */
  readonly busy: number;
  /** The processor time of all programs of the machine in this time. */
  readonly machineSeconds: number;
  /** The bytes that came out of each. */
  readonly outputBytes: readonly number[];
}

/**
 * The inner shell reports the process id that the client gets. The outer one waits for the client, and then reports its
 * processor time. A pipe counts the output, as a user's next program would read it.
 */
const SCRIPT = `
{ sh -c 'echo "pid $$" >&2; exec "$@"' sh "$@"; code=$?; times >&2; echo "code $code" >&2; } | wc -c`;

/**
 * How often the memory is read, in milliseconds. The kernel keeps the peak, so only growth at the end is missed. To read
 * it for 16 sessions of sshd takes 3 ms.
 */
const SAMPLE_MS = 100;

async function run({ words, env = {}, input }: ClientRun, running: (pid: number) => Disposable) {
  const script = input === undefined ? `${SCRIPT}` : `exec <"$1"; shift; ${SCRIPT}`;
  const child = new Deno.Command("sh", {
    args: ["-c", script, "sh", ...(input === undefined ? [] : [input]), ...words],
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  using stack = new DisposableStack();
  const [stderr, stdout] = await Promise.all([
    (async () => {
      let text = "";
      let pid: number | undefined;
      for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
        text += part;
        const found = /^pid (\d+)$/m.exec(text)?.[1];
        if (pid === undefined && found !== undefined) stack.use(running(pid = Number(found)));
      }
      return text;
    })(),
    new Response(child.stdout).text(),
  ]);
  await child.status;
  if (!/^code 0$/m.test(stderr)) throw new Error(`"${words.join(" ")}" failed: ${stderr}`);
  const times = /\n(\d+)m([\d.]+)s (\d+)m([\d.]+)s\ncode 0/.exec(stderr)?.slice(1).map(Number);
  if (times === undefined) throw new Error(`Cannot find the processor time in: ${stderr}`);
  const [userMinutes = NaN, user = NaN, systemMinutes = NaN, system = NaN] = times;
  return { cpuSeconds: 60 * (userMinutes + systemMinutes) + user + system, outputBytes: Number(stdout) };
}

/** Runs the clients at once, and calls `sample` now and then while they run. */
export async function runClients(runs: readonly ClientRun[], sample: () => void = () => {}): Promise<ClientCosts> {
  const facts = new Map<number, { peak: number; busyMs: number }>();
  const alive = new Set<number>();
  const timer = setInterval(() => {
    for (const pid of alive) {
      try {
        facts.set(pid, { peak: peakBytes(pid), busyMs: threadCpuMs(pid) });
      } catch {
        // It has just ended.
      }
    }
    sample();
  }, SAMPLE_MS);
  try {
    const start = performance.now();
    const machineBefore = machineCpuMs();
    const all = await Promise.all(runs.map((one) =>
      run(one, (pid) => {
        alive.add(pid);
        return { [Symbol.dispose]: () => void alive.delete(pid) };
      })
    ));
    const ms = performance.now() - start;
    const found = [...facts.values()];
    return {
      seconds: ms / 1_000,
      cpuSeconds: all.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
      peakBytes: found.reduce((sum, { peak }) => sum + peak, 0),
      busy: Math.max(0, ...found.map(({ busyMs }) => busyMs)) / ms,
      machineSeconds: (machineCpuMs() - machineBefore) / 1_000,
      outputBytes: all.map(({ outputBytes }) => outputBytes),
    };
  } finally {
    clearInterval(timer);
  }
}
