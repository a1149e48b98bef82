/** Follows a job's output in the demo: a `teleport logs -f` whose lines the demo waits for. */
import { StepError } from "./step_error.ts";

/** A follower of one job. */
export interface Follower {
  /** Resolves when all of these lines have arrived. */
  seen(wanted: readonly string[]): Promise<void>;
  /** Waits for the end. Exactly these lines must have arrived by then, in any order across the two streams. */
  ended(wanted: readonly string[]): Promise<void>;
  /** Waits for the end. The lines must be the numbers from 1 on, in order. Returns the last one. */
  endedCounting(): Promise<number>;
}

/** The beginning of a line that the command itself writes, such as "teleport: The server is back". */
const NOTE = "teleport: ";

/** Follows a child's stdout and stderr, and calls `onLine` with each line. Notes of the command do not count as lines. */
export function follow(child: Deno.ChildProcess, onLine: (line: string) => void): Follower {
  const got: string[] = [];
  let changed = Promise.withResolvers<void>();
  let done = false;
  const read = async (stream: ReadableStream<Uint8Array>) => {
    for await (const line of lines(stream)) {
      onLine(line);
      if (line.startsWith(NOTE)) continue;
      got.push(line);
      changed.resolve();
      changed = Promise.withResolvers();
    }
  };
  const end = (async () => {
    const [status] = await Promise.all([child.status, read(child.stdout), read(child.stderr)]);
    done = true;
    changed.resolve();
    return status;
  })();
  const mustBe = async (wanted: readonly string[], found: () => readonly string[]) => {
    const { code } = await end;
    if (code !== 0 || JSON.stringify(found()) !== JSON.stringify(wanted)) {
      throw new StepError(`Expected ${JSON.stringify(wanted)} and exit code 0, not ${received()} and ${code}`);
    }
  };
  const received = () => got.map((line) => JSON.stringify(line)).join(", ") || "nothing";
  return {
    async seen(wanted) {
      while (!wanted.every((line) => got.includes(line))) {
        if (done) throw new StepError(`The output ended before ${JSON.stringify(wanted)} arrived, after ${received()}`);
        await changed.promise;
      }
    },
    async ended(wanted) {
      await mustBe(wanted.toSorted(), () => got.toSorted());
    },
    async endedCounting() {
      await end;
      await mustBe(got.map((_, index) => `${index + 1}`), () => got);
      return got.length;
    },
  };
}

/** Splits bytes into lines. A last line without a line end counts too. */
export async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  if (rest !== "") yield rest;
}
