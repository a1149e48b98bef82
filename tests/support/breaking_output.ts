/** A server that breaks off streams of output, for the tests of `followOutput`. */
import { followOutput, type FollowOutputOptions } from "../../cli/follow/follow_output.ts";
import { Outages } from "../../cli/follow/outage.ts";
import type { JobOutput } from "../../proto/teleport/v1/job_worker.ts";
import { FakeCallError } from "./fake_io.ts";

export const silent = { note: () => Promise.resolve() };
export const chunks: ["stdout" | "stderr", string][] = [["stdout", "a\0b"], ["stderr", "\xff"], ["stdout", "c"], [
  "stderr",
  "de",
]];

export type Request = FollowOutputOptions["request"];

/**
 * A server with this output that breaks off each call after a number of messages. In grpc-js an error can overtake
 * messages: the last `overtaken` of the sent messages do not arrive.
 */
export class BreakingServer {
  readonly asked: Request[] = [];
  readonly #messages: readonly JobOutput[];
  readonly #breaks: { after: number; overtaken: number }[];

  constructor(messages: readonly JobOutput[], breaks: readonly { after: number; overtaken?: number }[]) {
    this.#messages = messages;
    this.#breaks = breaks.map((at) => ({ overtaken: 0, ...at }));
  }

  async *GetOutput(request: Request): AsyncGenerator<JobOutput> {
    this.asked.push(request);
    const from = request.cursor === undefined ? 0 : this.#indexAfter(request.cursor);
    const cut = this.#breaks.shift();
    const sent = this.#messages.slice(from, cut && from + Math.max(0, cut.after - cut.overtaken));
    for (const message of sent) yield await Promise.resolve(message);
    if (cut !== undefined) throw new FakeCallError("UNAVAILABLE", "Connection lost");
  }

  /** Returns the index after the last message with the cursor. Two gaps may have the same cursor. */
  #indexAfter(cursor: string): number {
    const index = this.#messages.findLastIndex((message) => message.cursor === cursor);
    if (index < 0) throw new FakeCallError("INVALID_ARGUMENT", `Invalid cursor "${cursor}"`);
    return index + 1;
  }
}

export async function follow(server: BreakingServer, request: Partial<Request> = {}): Promise<JobOutput[]> {
  const taken: JobOutput[] = [];
  const outages = new Outages(silent);
  // Another test covers an outage before the first answer.
  await outages.answered();
  const calls = { GetOutput: (request: unknown) => server.GetOutput(request as Request) };
  const options = { request: { id: "job-1", follow: true, ...request }, outages };
  await followOutput(calls, options, (chunk) => {
    taken.push(chunk);
    return Promise.resolve();
  });
  return taken;
}
