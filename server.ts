/** The door of `teleportd`, the server: arguments, environment and signals in, exit code out. */
import { defined } from "./base/defined.ts";
import { failureReason } from "./base/errno.ts";
import { CommanderError } from "commander";
import { keepFromJobs } from "./mod.ts";
import { verifiedText, verifyAudit } from "./service/audit/verify.ts";
import { parseEnvironment } from "./teleportd/environment.ts";
import { EXIT_BROKEN_PIPE, EXIT_DEFECT, EXIT_FAILED, EXIT_OK, EXIT_USAGE } from "./teleportd/exit_code.ts";
import { type Flags, parseFlags } from "./teleportd/flags.ts";
import { defectFields, defectText } from "./teleportd/log/error_fields.ts";
import { LineWriter } from "./teleportd/log/line_writer.ts";
import { ServerLog } from "./teleportd/log/server_log.ts";
import { giveUpNewPrivileges } from "./teleportd/process/new_privileges.ts";
import { listenForReload } from "./teleportd/process/reload_signal.ts";
import { openServiceManager } from "./teleportd/process/service_manager.ts";
import { ServiceNotifier } from "./teleportd/process/service_notifier.ts";
import { ACTIVATION_VARIABLES, inheritedSocket } from "./teleportd/process/socket_activation.ts";
import { listenForStopSignals } from "./teleportd/process/stop_signals.ts";
import { handleUncaught } from "./teleportd/process/uncaught.ts";
import { run } from "./teleportd/run.ts";
import { ENVIRONMENT_NAMES, type ServerEnvironment } from "./teleportd/server_environment.ts";
import { StartError } from "./teleportd/start_error.ts";
import { checkArguments, checkVariable, NotUtf8Error, readVariable } from "./text/decoded.ts";
import { escapeLine, escapeText } from "./text/unprintable.ts";
import { TextNotWrittenError, writeText } from "./text/write_text.ts";
import metadata from "./deno.json" with { type: "json" };

/** How long an orderly end may take after an uncaught exception, in milliseconds. Most jobs have a grace of 10 s. */
const DEFECT_STOP_MS = 30_000;

const environment: ServerEnvironment = {
  version: metadata.version,
  env: Object.fromEntries(ENVIRONMENT_NAMES.map((name) => [name, readVariable(Deno.env.get, name)])),
  environment: () => parseEnvironment(Deno.readFileSync("/proc/self/environ")),
};

/** Runs the program and returns its exit code. Errors before the options are known have no time and no level. */
export async function main(args: readonly string[]): Promise<number> {
  const usage = new LineWriter(Deno.stderr, (count) => `teleportd: ${count} lines were lost`);
  try {
    checkArguments(args);
    for (const name of ENVIRONMENT_NAMES) checkVariable(name, environment.env[name]);
    const flags = parseFlags(args, metadata.version, {
      stdout: (text) => writeText(Deno.stdout, text),
      stderr: (text) => usage.write(escapeText(text.trimEnd())),
    });
    return flags.auditPath === undefined ? await serveUntilStopped(flags) : await verify(flags.auditPath);
  } catch (error) {
    if (error instanceof TextNotWrittenError && error.readerLeft) return EXIT_BROKEN_PIPE;
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    const isExpected = error instanceof StartError || error instanceof TextNotWrittenError ||
      error instanceof NotUtf8Error;
    usage.write(escapeLine(`teleportd: ${isExpected ? error.message : defectText(error)}`));
    if (!isExpected) return EXIT_DEFECT;
    return error instanceof NotUtf8Error ? EXIT_USAGE : EXIT_FAILED;
  } finally {
    await usage.close();
  }
}

/** Reports whether an audit log is whole. */
async function verify(path: string): Promise<number> {
  const found = await verifyAudit(path).catch((error) => {
    throw new StartError(`Cannot read "${path}": ${failureReason(error)}`);
  });
  writeText(Deno.stdout, `${escapeText(verifiedText(found))}\n`);
  return found.problems.length === 0 ? EXIT_OK : EXIT_FAILED;
}

/** Runs the server with the signals and the uncaught errors of this process. */
async function serveUntilStopped(flags: Flags): Promise<number> {
  // Deno would serve the metrics on the address in this variable, which need not be a loopback address.
  Deno.env.delete("DENO_SERVE_ADDRESS");
  const log = new ServerLog(Deno.stderr, { level: flags.logLevel, format: flags.logFormat });
  using signals = listenForStopSignals(() => Deno.exit(uncaught.hasException ? EXIT_DEFECT : EXIT_OK));
  const { request } = signals;
  using hangup = listenForReload([Deno.stdin, Deno.stdout, Deno.stderr], request);
  using notifier = openNotifier();
  signals.stop.addEventListener("abort", () => notifier?.stopping());
  using uncaught = handleUncaught({ log, stop: request, hurry: request, stopTimeoutMs: DEFECT_STOP_MS });
  try {
    keepFromJobs();
    if (!flags.allowNewPrivileges) giveUpNewPrivileges();
    const socket = inheritedSocket(managerVariables(ACTIVATION_VARIABLES));
    const code = await run({ flags, environment: { ...environment, ...defined({ inheritedSocket: socket }) } }, {
      signal: signals.stop,
      hurry: signals.hurry,
      log,
      ...defined({ onJobChange: notifier && (() => notifier.changed()) }),
      listening(server) {
        if (notifier?.ready(server) === false) {
          log.warn("Cannot report to the service manager: nothing listens at the address in NOTIFY_SOCKET");
        }
        hangup.listening(() => {
          const reload = server.reload();
          void notifier?.reloading(reload);
        });
        log.listening(server.address);
      },
    });
    return uncaught.hasException ? EXIT_DEFECT : code;
  } catch (error) {
    if (error instanceof StartError) {
      log.error(error.message);
      return error.code === "USAGE" ? EXIT_USAGE : EXIT_FAILED;
    }
    log.error(`Internal error: ${defectText(error)}`, defectFields(error));
    return EXIT_DEFECT;
  } finally {
    await log.close();
  }
}

/**
 * Returns a notifier when a service manager started this process.
 *
 * @throws {NotUtf8Error} when a variable of the manager is not valid UTF-8
 */
function openNotifier(): ServiceNotifier | undefined {
  const manager = openServiceManager(managerVariables(["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]));
  return manager && new ServiceNotifier(manager);
}

/** @throws {NotUtf8Error} when a variable is not valid UTF-8 */
function managerVariables(names: readonly string[]): Record<string, string | undefined> {
  const valueOf = (name: string) => checkVariable(name, readVariable(Deno.env.get, name));
  return Object.fromEntries(names.map((name) => [name, valueOf(name)]));
}

// `deno task serve -- --listen …` passes the two dashes on.
if (import.meta.main) Deno.exit(await main(Deno.args[0] === "--" ? Deno.args.slice(1) : Deno.args));
