/** One who follows a job's output in the demo: a `teleport logs -f` whose lines can be waited for. */
import { StepError } from "./demo_step_error.ts";

/** Follows until the job ends. */
export interface Follower {
  /** Resolves once all of these lines have come. */
  seen(wanted: readonly string[]): Promise<void>;
  /** Waits for the end, by which exactly these lines must have come, in any order across the two streams. */
  ended(wanted: readonly string[]): Promise<void>;
}

/** Follows a child's stdout and stderr, and tells every line. */
export function follow(child: Deno.ChildProcess, tell: (line: string) => void): Follower {
  const got: string[] = [];
  let changed = Promise.withResolvers<void>();
  let done = false;
  const read = async (stream: ReadableStream<Uint8Array>) => {
    for await (const line of lines(stream)) {
      got.push(line);
      tell(line);
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
  const told = () => got.map((line) => JSON.stringify(line)).join(", ") || "nothing";
  return {
    async seen(wanted) {
      while (!wanted.every((line) => got.includes(line))) {
        if (done) throw new StepError(`The output ended before ${JSON.stringify(wanted)} had come, with ${told()}`);
        await changed.promise;
      }
    },
    async ended(wanted) {
      const { code } = await end;
      if (code !== 0 || JSON.stringify(got.toSorted()) !== JSON.stringify(wanted.toSorted())) {
        throw new StepError(`Expected ${JSON.stringify(wanted)} and exit code 0, not ${told()} and ${code}`);
      }
    },
  };
}

/** Splits bytes into lines; a last one without an end counts too. */
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
