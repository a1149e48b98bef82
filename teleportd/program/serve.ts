/** The program `teleportd`: runs a server with the signals and the uncaught errors of this process. */
import { CommanderError } from "commander";
import { defined } from "../../base/defined.ts";
import { failureReason } from "../../base/errno.ts";
import { keepFromJobs } from "../../mod.ts";
import { verifiedText, verifyAudit } from "../../service/audit/verify.ts";
import { checkVariable } from "../../text/decoded.ts";
import { escapeText } from "../../text/unprintable.ts";
import { parseEnvironment } from "../environment.ts";
import { EXIT_DEFECT, EXIT_FAILED, EXIT_OK, EXIT_USAGE } from "../exit_code.ts";
import { type Flags, parseFlags } from "../flags.ts";
import { inheritedDigest } from "../host/inherited.ts";
import { defectFields, defectText } from "../log/error_fields.ts";
import { ServerLog } from "../log/server_log.ts";
import { giveUpNewPrivileges } from "../process/new_privileges.ts";
import { listenForReload } from "../process/reload_signal.ts";
import { ServiceNotifier, type StatusLine } from "../process/service_notifier.ts";
import { ACTIVATION_VARIABLES, inheritedSocket } from "../process/socket_activation.ts";
import { listenForStopSignals } from "../process/stop_signals.ts";
import { handleUncaught } from "../process/uncaught.ts";
import { type ListeningServer, run } from "../run.ts";
import { ENVIRONMENT_NAMES, type ServerEnvironment } from "../server_environment.ts";
import { StartError } from "../start_error.ts";
import { runHostCommand } from "./host.ts";
import { checkedVariables, managerOf } from "./variables.ts";
import type { ProcessAccess } from "./process_access.ts";

/** Runs a server, or verifies an audit log, as the arguments say. */
export async function program(args: readonly string[], access: ProcessAccess): Promise<number> {
  const { version, variable, print, usage } = access;
  const environment: ServerEnvironment = {
    version,
    env: Object.fromEntries(ENVIRONMENT_NAMES.map((name) => [name, variable(name)])),
    environment: () => parseEnvironment(Deno.readFileSync("/proc/self/environ")),
  };
  for (const name of ENVIRONMENT_NAMES) checkVariable(name, environment.env[name]);
  try {
    const stderr = (text: string) => usage.write(escapeText(text.trimEnd()));
    const flags = parseFlags(args, version, { stdout: print, stderr });
    if (flags.hostCommand !== undefined) return await runHostCommand(flags.hostCommand, access, flags.data);
    if (flags.auditPath !== undefined) return await verify(flags.auditPath, print);
    return await serveUntilStopped(flags, environment, access);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    throw error;
  }
}

/** Reports whether an audit log is whole. */
async function verify(path: string, print: (text: string) => void): Promise<number> {
  const found = await verifyAudit(path).catch((error) => {
    throw new StartError(`Cannot read "${path}": ${failureReason(error)}`);
  });
  print(`${escapeText(verifiedText(found))}\n`);
  return found.problems.length === 0 ? EXIT_OK : EXIT_FAILED;
}

async function serveUntilStopped(flags: Flags, given: ServerEnvironment, access: ProcessAccess): Promise<number> {
  // Deno would serve the metrics on the address in this variable, which need not be a loopback address.
  access.deleteVariable("DENO_SERVE_ADDRESS");
  const log = new ServerLog(Deno.stderr, { level: flags.logLevel, format: flags.logFormat });
  using signals = listenForStopSignals(() => access.exit(uncaught.hasException ? EXIT_DEFECT : EXIT_OK));
  const { request } = signals;
  using hangup = listenForReload(access.streams, request);
  const manager = managerOf(access);
  using notifier = manager && new ServiceNotifier(manager);
  signals.stop.addEventListener(
    "abort",
    () => notifier?.stopping(stopsJobs(flags) ? "jobs are being ended" : "jobs continue"),
  );
  using uncaught = handleUncaught({ log, stop: request, hurry: request });
  try {
    // Read before this process changes itself.
    const jobHost = { command: access.command, inherited: await inheritedDigest() };
    // A job host needs the capabilities of this process for its jobs.
    keepFromJobs({ capabilities: flags.jobHost !== "separate" });
    if (!flags.allowNewPrivileges) giveUpNewPrivileges();
    const socket = inheritedSocket(checkedVariables(access, ACTIVATION_VARIABLES));
    const environment = { ...given, jobHost, ...defined({ inheritedSocket: socket }) };
    const code = await run({ flags, environment }, {
      signal: signals.stop,
      hurry: signals.hurry,
      log,
      ...defined({ onJobChange: notifier && (() => notifier.changed()) }),
      listening(server) {
        if (notifier?.ready(statusLineOf(server)) === false) {
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

/** Returns true if jobs end with the server. */
function stopsJobs({ jobHost, stopJobs }: Flags): boolean {
  return jobHost === "none" || stopJobs === true;
}

/** Returns the line that a service manager shows for a server. */
function statusLineOf(server: ListeningServer): StatusLine {
  return async () => {
    const { runningJobs, watchers } = await server.counts();
    return `Jobs running: ${runningJobs}, watchers: ${watchers}`;
  };
}
