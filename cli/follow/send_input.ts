/** Sends a file to a job's input, through outages of the server, each byte exactly once. */
import { defined } from "../../base/defined.ts";
import { errorCode } from "../../base/error_code.ts";
import type { JobWorkerClient } from "../../proto/service.ts";
import type { InputResponse } from "../../proto/teleport/v1/job_worker.ts";
import { CALL_DEADLINE_MS } from "../context.ts";
import type { InputFile } from "../io.ts";
import { InputSource } from "./input_source.ts";
import type { Outages } from "./outage.ts";

/** The job, and how its input is sent. */
export interface SendInputOptions {
  readonly id: string;
  /** The number of bytes that the job's input has already. */
  readonly offset: number;
  /** True ends the job's input at the end of the file. */
  readonly endsInput: boolean;
  readonly outages: Outages;
  /** Ends the sending. Data that was not acknowledged may have arrived. */
  readonly signal?: AbortSignal;
  /** Called at once when the file cannot be read, because the job may end before the last call is answered. */
  readonly onReadError?: (error: Error) => void;
}

/** The result of the sending. */
export interface SentInput {
  /** The number of bytes of the job's input in all. */
  readonly inputBytes: number;
  readonly isClosed: boolean;
  /** False when the job ended or closed its input before it took everything that was read. */
  readonly isWhole: boolean;
  /** The error that ended the reading. The bytes before it were sent. */
  readonly readError?: Error;
}

/**
 * Reads the file as fast as the job reads, and sends it. After an outage it continues where the server was: the server
 * recognises this writer by its name and skips the data that it took before. A read error ends the input, as in a shell
 * pipeline.
 *
 * @throws the error of a call when waiting does not help
 */
export async function sendInput(
  calls: Pick<JobWorkerClient, "Input" | "Status">,
  file: InputFile,
  options: SendInputOptions,
): Promise<SentInput> {
  const { id, outages, signal } = options;
  const source = new InputSource(file, options.offset, options.onReadError);
  const first = { id, writer: crypto.randomUUID() };
  let hadOutage = false;
  while (true) {
    try {
      const answer = await calls.Input(source.messages(first, options.endsInput), defined({ signal }));
      await outages.answered();
      if (answer.input_closed || source.isSent) return sentInput(answer, source);
      if (answer.input_bytes !== source.end) {
        throw new Error(
          `The server took the input up to byte ${answer.input_bytes}, but it was sent up to byte ${source.end}`,
        );
      }
      source.acknowledge(answer.input_bytes);
    } catch (error) {
      source.cut();
      // After an outage, the job may end between the answer of Status and this call.
      const hasEnded = hadOutage && errorCode(error) === "JOB_NOT_RUNNING";
      if (!hasEnded) await outages.wait(error, signal);
      hadOutage = true;
      const result = await resultAfterOutage(calls, options, source);
      if (result !== undefined) return result;
      if (hasEnded) throw error;
    }
  }
}

/** Asks for the state of the input. The cut call may have been the last one, or the job has ended meanwhile. */
async function resultAfterOutage(
  calls: Pick<JobWorkerClient, "Status">,
  { id, outages, signal }: SendInputOptions,
  source: InputSource,
): Promise<SentInput | undefined> {
  while (true) {
    try {
      const status = await calls.Status({ id }, { ...defined({ signal }), deadlineMs: CALL_DEADLINE_MS });
      await outages.answered(source.acknowledge(status.input_bytes));
      return status.input_closed ? sentInput(status, source) : undefined;
    } catch (error) {
      await outages.wait(error, signal);
    }
  }
}

function sentInput(
  { input_bytes: inputBytes, input_closed: isClosed }: Pick<InputResponse, "input_bytes" | "input_closed">,
  source: InputSource,
): SentInput {
  const { end, readError } = source;
  return { inputBytes, isClosed, isWhole: inputBytes === end, ...defined({ readError }) };
}
