/** The output of jobs, as a caller of GetOutput receives it. */
import assert from "node:assert/strict";
import type { JobWorkerClient } from "../../../proto/service.ts";
import type { JobOutput, OutputEnd } from "../../../proto/teleport/v1/job_worker.ts";
import { all } from "../../support/service.ts";

/** The selection of a request. */
export type Selection = Partial<Parameters<JobWorkerClient["GetOutput"]>[0]>;

/** Runs a shell script to its end and returns the id of the job. */
export async function ran(calls: JobWorkerClient, script: string): Promise<string> {
  const { id } = await calls.Register({ command: "sh", args: ["-c", script] });
  await all(calls.Start({ id }));
  return id;
}

/** The sum of a stream of output. */
export interface Received {
  readonly stdout: string;
  readonly stderr: string;
  readonly end: OutputEnd;
  readonly messages: readonly JobOutput[];
}

/** Joins messages as latin1, one character for each byte. Fails if they leave a gap or overlap. */
export function received(messages: readonly JobOutput[]): Received {
  const text = { STREAM_STDOUT: "", STREAM_STDERR: "", STREAM_UNSPECIFIED: "" };
  const next = new Map<string, number>();
  const end = messages.at(-1)?.end;
  assert(end, "The last message is the summary");
  for (const { data, stream, offset, end } of messages.slice(0, -1)) {
    assert.equal(end, null);
    assert(data.length > 0 && stream !== "STREAM_UNSPECIFIED");
    assert.equal(offset, next.get(stream) ?? offset);
    next.set(stream, offset + data.length);
    text[stream] += new TextDecoder("latin1").decode(data);
  }
  assert.equal(messages.at(-1)?.data.length, 0);
  return { stdout: text.STREAM_STDOUT, stderr: text.STREAM_STDERR, end, messages };
}

/** Reads the selected output of a job. */
export async function output(calls: JobWorkerClient, id: string, selection: Selection = {}): Promise<Received> {
  return received(await all(calls.GetOutput({ id, ...selection })));
}
