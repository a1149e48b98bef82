/** The calls to a job host that wait for their answers, and what happens when it does not answer. */
import { HostUnavailableError } from "../../errors.ts";
import { checkInputChunk, type InputChunk, type InputOptions } from "../../process/stdin.ts";
import type { HostedJobState } from "../link.ts";
import { HostWatchdog } from "./host_watchdog.ts";
import type { Message } from "./message_codec.ts";
import type { MessageConnection } from "./message_connection.ts";
import type { ServerMessage } from "./messages.ts";
import { fromRemoteError, type RemoteError } from "./remote_error.ts";
import { SentInput } from "./sent_input.ts";

/** A call without its answer. */
interface PendingCall {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** The parts of the answer to `attach` so far. */
  readonly jobs: HostedJobState[];
  /** Present when the call writes an input. */
  readonly input?: SentInput;
}

/** Options of the calls. */
export interface HostCallsOptions {
  readonly pid: number;
  /** The longest time without an acknowledgement of a message, in milliseconds. */
  readonly acknowledgeMs: number;
  readonly onAvailability: (isAvailable: boolean) => void;
}

/** The calls over one connection. */
export class HostCalls {
  readonly #connection: MessageConnection;
  readonly #options: HostCallsOptions;
  readonly #watchdog: HostWatchdog;
  readonly #pending = new Map<number, PendingCall>();
  #lastCall = 0;
  /** The pending calls that write an input. A quiet one needs nothing of the host. */
  #inputs = 0;
  #isAvailable = true;
  /** Why no call is possible any more. */
  #ended: Error | undefined;

  constructor(connection: MessageConnection, options: HostCallsOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#watchdog = new HostWatchdog({
      timeoutMs: options.acknowledgeMs,
      isWaiting: () => this.#pending.size > this.#inputs,
      ping: () => this.#send({ ping: true }),
      onSilent: () => this.#fallSilent(),
    });
  }

  /**
   * Calls the host.
   *
   * @throws {HostUnavailableError} when it does not acknowledge the call in time, or the connection ends
   * @throws the error of the host
   */
  async call(name: string, args: readonly unknown[], input?: (call: number) => SentInput): Promise<unknown> {
    if (this.#ended !== undefined) throw this.#ended;
    if (!this.#isAvailable) throw this.#silence();
    const call = ++this.#lastCall;
    this.#send({ call, name, args });
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    if (input === undefined) {
      this.#pending.set(call, { resolve, reject, jobs: [] });
    } else {
      this.#inputs++;
      this.#pending.set(call, { resolve, reject, jobs: [], input: input(call) });
    }
    return await promise;
  }

  /** Calls the host without an answer. */
  notify(name: string, args: readonly unknown[]): void {
    if (this.#ended === undefined) this.#send({ notify: name, args });
  }

  /** Calls the host without an answer. Replaces an earlier call of the same name that was not sent yet. */
  notifyLatest(name: string, args: readonly unknown[]): void {
    this.#connection.sendLater(name, () => this.notify(name, args));
  }

  /** Calls the host to write an input. */
  writeInput(id: string, chunks: AsyncIterable<InputChunk>, options: InputOptions): Promise<unknown> {
    const { signal, ...sent } = options;
    signal?.throwIfAborted();
    return this.call("writeInput", [id, sent], (call) =>
      new SentInput(chunks, options, {
        chunk: ({ data, end }) => {
          if (data !== undefined) checkInputChunk(data);
          this.#send({ input: call, ...(end ? { end } : {}) }, data);
        },
        done: () => this.#send({ input: call, done: true }),
        abort: () => this.#send({ abort: call }),
      }));
  }

  /**
   * Handles a message of the host. Messages about other things than calls have no effect, except that the host answers.
   *
   * @returns true when a call has got its answer
   */
  receive(body: Message["body"]): boolean {
    let isAnswer = false;
    if (typeof body.answer === "number") isAnswer = this.#settle(body.answer, body);
    else if (typeof body.part === "number") this.#pending.get(body.part)?.jobs.push(...body.jobs as HostedJobState[]);
    else if (typeof body.next === "number") void this.#pending.get(body.next)?.input?.sendNext();
    this.#watchdog.heard(body.ack);
    if (!this.#isAvailable) {
      this.#isAvailable = true;
      this.#options.onAvailability(true);
    }
    return isAnswer;
  }

  /** Ends all calls, now and later. */
  end(error: Error): void {
    this.#ended = error;
    this.#watchdog.stop();
    this.#failAll(error);
  }

  #settle(call: number, { value, error }: Message["body"]): boolean {
    const pending = this.#take(call);
    if (pending === undefined) return false;
    if (error !== undefined) this.#reject(pending, fromRemoteError(error as RemoteError));
    else {
      pending.input?.over(undefined);
      pending.resolve(pending.jobs.length > 0 ? pending.jobs : value);
    }
    return true;
  }

  #take(call: number): PendingCall | undefined {
    const pending = this.#pending.get(call);
    this.#pending.delete(call);
    if (pending?.input !== undefined) this.#inputs--;
    return pending;
  }

  #reject(pending: PendingCall, error: Error): void {
    pending.reject(pending.input === undefined ? error : pending.input.over(error));
  }

  #fallSilent(): void {
    if (!this.#isAvailable) return;
    this.#isAvailable = false;
    for (const [call, { input }] of this.#pending) {
      if (input !== undefined) this.#connection.send({ abort: call });
    }
    this.#failAll(this.#silence());
    this.#options.onAvailability(false);
  }

  #failAll(error: Error): void {
    for (const call of [...this.#pending.keys()]) {
      const pending = this.#take(call);
      if (pending !== undefined) this.#reject(pending, error);
    }
  }

  #silence(): HostUnavailableError {
    return new HostUnavailableError(`process ${this.#options.pid} does not answer`);
  }

  #send(message: ServerMessage, data?: Uint8Array): void {
    this.#connection.send(message, data);
    this.#watchdog.sent();
  }
}
