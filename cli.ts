/** The door of `teleport`, the command line: arguments and environment in, exit code out. */
import { CertificateFilesError } from "./cli/certificate_files.ts";
import { type Environment, ENVIRONMENT_NAMES } from "./cli/config.ts";
import type { Io } from "./cli/io.ts";
import { startProgram } from "./cli/local_program.ts";
import { main } from "./cli/main.ts";
import { UsageError } from "./units/usage_error.ts";
import { gatherEntropy } from "./rpc/client/entropy.ts";
import { readVariable } from "./text/decoded.ts";

const io: Io = {
  stdin: Deno.stdin,
  stdout: Deno.stdout,
  stderr: Deno.stderr,
  onSignal(signal, listener) {
    Deno.addSignalListener(signal, listener);
    return { [Symbol.dispose]: () => Deno.removeSignalListener(signal, listener) };
  },
  terminalSize() {
    try {
      return Deno.consoleSize();
    } catch {
      return undefined; // There is no terminal.
    }
  },
  nowMs: () => performance.now(),
  startProgram,
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
