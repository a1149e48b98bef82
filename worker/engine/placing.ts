/** The parts that a program gives a supervisor so that jobs can run on the machines of an engine. */
import type { ByteStream } from "../host/socket/message_connection.ts";
import type { Engine, Needs } from "./engine.ts";

/** A connection from a node host. */
export interface DialIn {
  /** The random name of the job, which the certificate of the host proves. */
  readonly id: string;
  readonly stream: ByteStream;
  /** The address of the host, for messages. */
  readonly address: string;
}

/** The standard error of a node host, which explains an end that the host does not report. */
export interface HostReport {
  /** The file on the node. */
  readonly path: string;
  /** The end of it. Empty when the supervisor cannot read it. */
  readonly text: string;
}

/** The door for node hosts. */
export interface NodeGate {
  /** Makes the program of a node host for a job: the text of a shell script. */
  token(id: string): Promise<string>;
  /** Returns the standard error of the host of a job, as far as it is known here. */
  report(id: string): Promise<HostReport>;
  /** Begins to accept hosts. */
  open(receive: (dialIn: DialIn) => void): Promise<void>;
  /** Accepts no more hosts. The open connections stay. */
  close(): Promise<void>;
}

/** The placing of jobs by an engine. */
export interface Placing {
  readonly engine: Engine;
  /** True when jobs that name no engine go to this one. */
  readonly isDefault: boolean;
  readonly defaults: Pick<Needs, "partition" | "account">;
  readonly gate: NodeGate;
  /** How long nothing must change until a job without a link is given up, in milliseconds. Default: 30,000. */
  readonly settleMs?: number;
  /** The shortest wait between two questions to the engine, in milliseconds. Default: 1,000. */
  readonly firstWaitMs?: number;
}
