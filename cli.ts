/** The door of `teleport`, the command line: arguments and environment in, exit code out. */
import { CertificateFilesError } from "./cli/certificate_files.ts";
import { type Environment, ENVIRONMENT_NAMES } from "./cli/config.ts";
import type { Io, Terminal } from "./cli/io.ts";
import { runShell, startProgram } from "./cli/local_program.ts";
import { main } from "./cli/main.ts";
import { standardInput, standardOutput } from "./cli/standard_files.ts";
import { UsageError } from "./units/usage_error.ts";
import { gatherEntropy } from "./rpc/client/entropy.ts";
import { readVariable } from "./text/decoded.ts";

const onSignal = (signal: Deno.Signal, listener: () => void): Disposable => {
  Deno.addSignalListener(signal, listener);
  return { [Symbol.dispose]: () => Deno.removeSignalListener(signal, listener) };
};

function consoleSize() {
  try {
    return Deno.consoleSize();
  } catch {
    return undefined; // No standard file is a terminal, or it is gone.
  }
}

/** The size of a terminal that does not know its own. */
const USUAL_SIZE = { columns: 80, rows: 24 } as const;

/** The longest side that a server takes. */
const MAX_SIDE = 10_000;

const terminal: Terminal = {
  kind: readVariable(Deno.env.get, "TERM"),
  isTerminal: () => Deno.stdin.isTerminal(),
  setRaw: (isRaw) => Deno.stdin.setRaw(isRaw),
  size() {
    const { columns, rows } = consoleSize() ?? USUAL_SIZE;
    // A terminal may not know its size.
    if (columns === 0 || rows === 0) return USUAL_SIZE;
    return { columns: Math.min(columns, MAX_SIDE), rows: Math.min(rows, MAX_SIDE) };
  },
  onResize: (listener) => onSignal("SIGWINCH", listener),
  onContinue: (listener) => onSignal("SIGCONT", listener),
  onCrash(bytes) {
    const write = () => {
      try {
        Deno.stdout.writeSync(bytes());
      } catch {
        // The terminal is gone.
      }
    };
    const events = ["error", "unhandledrejection"] as const;
    for (const event of events) globalThis.addEventListener(event, write);
    return {
      [Symbol.dispose]: () => {
        for (const event of events) globalThis.removeEventListener(event, write);
      },
    };
  },
};

const io: Io = {
  stdin: standardInput(Deno.stdin, 0),
  stdout: standardOutput(Deno.stdout, 1),
  stderr: standardOutput(Deno.stderr, 2),
  terminal,
  onSignal,
  nowMs: () => performance.now(),
  startProgram,
  runShell,
  async connect(options) {
    gatherEntropy();
    // Only here, so that help and bad usage do not wait for gRPC to load.
    const { connect, AddressError, TlsCredentialsError } = await import("./rpc/client/client.ts");
    try {
      return connect(options);
    } catch (error) {
      // The command line tells errors apart by its own classes, so that it need not load those of gRPC.
      if (error instanceof AddressError) throw new UsageError(error.message);
      if (error instanceof TlsCredentialsError) {
        throw new CertificateFilesError(error.message, { cause: error, part: error.part });
      }
      throw error;
    }
  },
};

const env: Environment = Object.fromEntries(ENVIRONMENT_NAMES.map((name) => [name, readVariable(Deno.env.get, name)]));
// "deno task cli -- list" hands the two dashes on.
const args = Deno.args[0] === "--" ? Deno.args.slice(1) : Deno.args;
Deno.exit(await main(args, env, io));
