/** A supervisor whose jobs an engine without machines places, for tests. */
import { type InputChunk, type JobOptions, type JobStatus, Supervisor, type SupervisorOptions } from "../../../mod.ts";
import { deadline } from "../../support/deadline.ts";
import { FakeEngine, FakeNode } from "../../support/fake_engine.ts";
import { tempDir } from "../../support/temp_dir.ts";
import type { Dial } from "../../../worker/host/node/node_messages.ts";
import { MessageConnection } from "../../../worker/host/socket/message_connection.ts";
import { PROTOCOLS } from "../../../worker/host/socket/messages.ts";
import { LocalHosts } from "./job_host_fixture.ts";

/** A supervisor with an engine, which can be restarted. */
export interface Stage extends AsyncDisposable {
  readonly engine: FakeEngine;
  /** The data directory. */
  readonly directory: string;
  readonly errors: unknown[];
  supervisor: Supervisor;
  /** Closes the supervisor, and opens the next one. */
  restart(whileAway?: () => Promise<void>): Promise<void>;
  /** Starts a shell script, which waits for its host. */
  start(script: string, options?: JobOptions): Promise<string>;
  /** Starts a job and its host. */
  run(script: string, options?: JobOptions): Promise<{ readonly id: string; readonly node: FakeNode }>;
}

/** Makes a supervisor with an engine that has no machines. */
export async function stage(settleMs?: number, options: SupervisorOptions = {}): Promise<Stage> {
  const dir = await tempDir();
  const data = `${dir.path}/data`;
  const hosts = new LocalHosts(data);
  const engine = new FakeEngine(`${dir.path}/nodes`);
  const nodes: FakeNode[] = [];
  const errors: unknown[] = [];
  const open = () =>
    new Supervisor({
      ...options,
      directory: data,
      hosts,
      placing: engine.placing(settleMs),
      onError: (error) => errors.push(error),
    });
  const all: Stage = {
    engine,
    directory: data,
    errors,
    supervisor: open(),
    async restart(whileAway) {
      await all.supervisor.close();
      await whileAway?.();
      all.supervisor = open();
      await all.supervisor.ready();
    },
    async start(script, options) {
      const id = await all.supervisor.add("sh", ["-c", script], options);
      await all.supervisor.start(id, { by: "ann" });
      return id;
    },
    async run(script, options) {
      const id = await all.start(script, options);
      const node = new FakeNode(engine, engine.submissions.at(-1)?.id ?? "");
      nodes.push(node);
      return { id, node };
    },
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]();
      await all.supervisor.close();
      await hosts[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
  return all;
}

/** Returns the final status of a job. */
export async function final(supervisor: Supervisor, id: string): Promise<JobStatus> {
  const statuses = await deadline(Array.fromAsync(supervisor.watchStatus(id)), "the end of a job");
  return statuses.at(-1) as JobStatus;
}

/** The end of an input. */
export async function* endOfInput(): AsyncGenerator<InputChunk> {
  await Promise.resolve();
  yield { data: new Uint8Array(), end: true };
}

/** Plays a host that is accepted for the first job, and is cut off before it gets the start. */
export async function claimOnly(engine: FakeEngine): Promise<void> {
  const { id } = await engine.submission();
  const host = new MessageConnection(engine.connect(id));
  host.send(
    {
      dial: PROTOCOLS,
      run: "a".repeat(32),
      info: { instance: id, pid: 1, startedAt: new Date(), version: "1.0.0", cgroupText: "" },
      node: "node-1",
      nowMs: Date.now(),
    } satisfies Dial,
  );
  await deadline(host.receiveFirst(), "the answer to the dial");
  host.close();
}
