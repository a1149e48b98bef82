/** The command line inside the process of the test, over real connections. Tests see when its calls are answered. */
import type { Connection, Io } from "../../cli/io.ts";
import { main } from "../../cli/main.ts";
import type { JobWorkerClient } from "../../proto/service.ts";
import { connect } from "../../rpc/client/client.ts";
import { FakeIo, type FakeStdin } from "../support/fake_io.ts";

/** The calls whose first answers are counted. */
export type Counted = "GetOutput" | "StatusStream" | "WatchJobs" | "Status";

/** A command that runs. */
export interface Running {
  readonly stdin: FakeStdin;
  readonly ended: Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  /** Resolves when calls of this name have been answered that number of times, or when the command ends. */
  answered(call: Counted, times?: number): Promise<void>;
  /** Resolves when the command has printed this to the standard error, or when it ends. */
  noted(wanted: RegExp): Promise<void>;
}

/** The server of a command, and a callback. */
export interface Way {
  readonly address: string;
  readonly dir: string;
  /** Called when a connection is made, and before the command makes its first call. */
  readonly onConnected?: () => void;
}

/** Runs a command. */
export function runHere(way: Way, ...args: string[]): Running {
  const answers = { GetOutput: 0, StatusStream: 0, WatchJobs: 0, Status: 0 };
  let isOver = false;
  const waiting = new Set<() => void>();
  const count = (call: Counted) => {
    answers[call] += 1;
    for (const look of waiting) look();
  };
  const counted = <Request, Message>(
    name: Counted,
    call: (request: Request, options?: object) => AsyncIterable<Message>,
  ) =>
    async function* (request: Request, options?: object): AsyncGenerator<Message> {
      let isFirst = true;
      for await (const message of call(request, options)) {
        if (isFirst) count(name);
        isFirst = false;
        yield message;
      }
    };
  class ConnectedIo extends FakeIo {
    override async connect(options: Parameters<Io["connect"]>[0]): Promise<Connection> {
      const client = connect(options);
      if (way.onConnected !== undefined) {
        await client.calls.WhoAmI({});
        way.onConnected();
      }
      const calls: JobWorkerClient = {
        ...client.calls,
        GetOutput: counted("GetOutput", client.calls.GetOutput),
        StatusStream: counted("StatusStream", client.calls.StatusStream),
        WatchJobs: counted("WatchJobs", client.calls.WatchJobs),
        async Status(request, options) {
          const status = await client.calls.Status(request, options);
          count("Status");
          return status;
        },
      };
      return { calls, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() };
    }
  }
  const io = new ConnectedIo();
  const write = io.stderr.write.bind(io.stderr);
  io.stderr.write = async (data) => {
    const written = await write(data);
    for (const look of waiting) look();
    return written;
  };
  const environment = { TELEPORT_ADDRESS: way.address, TELEPORT_CERTS: `${way.dir}/certs` };
  const ended = main(args, environment, io).then((code) => {
    isOver = true;
    for (const look of waiting) look();
    return { code, stdout: io.stdout.text, stderr: io.stderr.text };
  });
  const when = (holds: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!holds() && !isOver) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return {
    stdin: io.stdin,
    ended,
    answered: (call, times = 1) => when(() => answers[call] >= times),
    noted: (wanted) => when(() => wanted.test(io.stderr.text)),
  };
}
