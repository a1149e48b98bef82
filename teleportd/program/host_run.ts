/** The program `teleportd host run`: a job host with the signals and the uncaught errors of this process. */
import { defined } from "../../base/defined.ts";
import { failureReason } from "../../base/errno.ts";
import { errorCode } from "../../base/error_code.ts";
import { type FileModes, GROUP_MODES, OWNER_MODES } from "../../base/file_modes.ts";
import { CertificateError } from "../../certs/errors.ts";
import { keepFromJobs } from "../../job_host.ts";
import { checkSharedDirectory, dataDirectory, makeDataDirectory } from "../data_directory.ts";
import { EXIT_DEFECT, EXIT_OK } from "../exit_code.ts";
import { HostLogFile } from "../host/host_log.ts";
import { inheritedDigest } from "../host/inherited.ts";
import { InstanceDirectory } from "../host/instance_directory.ts";
import { readyLine, SUCCESSOR_VARIABLE } from "../host/launcher.ts";
import { type HostRunOptions, newInstance } from "../host/options.ts";
import { type HostControls, runHost } from "../host/run_host.ts";
import { StartError } from "../start_error.ts";
import { defectFields, defectText } from "../log/error_fields.ts";
import { ServerLog } from "../log/server_log.ts";
import { uidOf } from "../other_user.ts";
import { giveUpNewPrivileges } from "../process/new_privileges.ts";
import { redirectOutput } from "../process/redirect_output.ts";
import { ServiceNotifier } from "../process/service_notifier.ts";
import { ignoreHangup } from "../process/ignored_hangup.ts";
import { listenForStopSignals } from "../process/stop_signals.ts";
import { handleUncaught } from "../process/uncaught.ts";
import { FileAccessError } from "../../trust/file_access.ts";
import { TextNotWrittenError } from "../../text/write_text.ts";
import { directoryVariables, managerOf } from "./variables.ts";
import type { ProcessAccess } from "./process_access.ts";

/** Prints a line. Returns false when the process that has started this one has given up meanwhile, or has ended. */
function printIfRead({ print }: ProcessAccess, text: string): boolean {
  try {
    print(text);
    return true;
  } catch (error) {
    if (!(error instanceof TextNotWrittenError)) throw error;
    return false;
  }
}

/**
 * Runs a job host to its end.
 *
 * @throws {StartError} when it cannot start
 */
export async function runHostProgram(options: HostRunOptions, access: ProcessAccess): Promise<number> {
  const inherited = await inheritedDigest();
  const given = dataDirectory(options.data, directoryVariables(access));
  const serverUid = options.serverUser === undefined ? undefined : uidOf(options.serverUser, "--server-user");
  const modes = serverUid === undefined ? OWNER_MODES : GROUP_MODES;
  await (serverUid === undefined ? makeDataDirectory(given) : checkSharedDirectory(given, serverUid)).catch((error) => {
    throw startErrorOf(serverUid === undefined ? withServerUser(error) : error, given);
  });
  const data = await Deno.realPath(given);
  try {
    return await runInDirectory({ options, access, data, modes, inherited });
  } catch (error) {
    throw startErrorOf(error, data);
  }
}

/** The parts of a job host's process that are known before it has a directory. */
interface HostParts extends Pick<HostControls, "data" | "inherited"> {
  readonly options: HostRunOptions;
  readonly access: ProcessAccess;
  readonly modes: FileModes;
}

async function runInDirectory({ options, access, data, modes, inherited }: HostParts): Promise<number> {
  using directory = await InstanceDirectory.create(data, options.instance ?? newInstance(), modes);
  let isReady = false;
  // Before the directory is removed, no file in it may be open.
  using _output = { [Symbol.dispose]: () => void (isReady && !options.stay && redirectOutput("/dev/null")) };
  // A service manager keeps what its services write. Nobody would read what others write.
  using file = options.stay ? undefined : new HostLogFile(directory.path, (path) => void redirectOutput(path));
  const log = new ServerLog(file ?? Deno.stderr, { level: options.logLevel, format: options.logFormat });
  using signals = listenForStopSignals(() => access.exit(uncaught.hasException ? EXIT_DEFECT : EXIT_OK));
  // The default action of SIGHUP would end the jobs when a terminal is closed.
  using _hangup = ignoreHangup();
  const manager = managerOf(access);
  using notifier = manager && new ServiceNotifier(manager);
  signals.stop.addEventListener("abort", () => notifier?.stopping("jobs are being ended"));
  const { request } = signals;
  using uncaught = handleUncaught({ log, stop: request, hurry: request });
  try {
    keepFromJobs();
    if (!options.allowNewPrivileges) giveUpNewPrivileges();
    await runHost(options, {
      data,
      directory,
      inherited,
      modes,
      log,
      version: access.version,
      command: access.command,
      signal: signals.stop,
      hurry: signals.hurry,
      ...defined({ onChange: notifier && (() => notifier.changed()), service: notifier }),
      ready({ instance, work }) {
        isReady = true;
        // The service is ready already when another job host has started this one.
        const isSent = access.variable(SUCCESSOR_VARIABLE) !== "1";
        notifier?.ready(async () => `Jobs running: ${(await work()).runningJobs}`, isSent);
        const isRead = printIfRead(access, readyLine(instance));
        if (file !== undefined) redirectOutput(file.path);
        return isRead || isSent;
      },
    });
    return uncaught.hasException ? EXIT_DEFECT : EXIT_OK;
  } catch (error) {
    directory.isUnneeded ||= !isReady;
    if (isReady) log.error(`Internal error: ${defectText(error)}`, defectFields(error));
    throw error;
  } finally {
    await log.close();
  }
}

/** Adds to the refusal of another user's directory that it may be the one of the server. */
function withServerUser(error: unknown): unknown {
  const { cause } = error instanceof CertificateError ? error : {};
  if (!(cause instanceof FileAccessError) || cause.code !== "FOREIGN_OWNER") return error;
  return new StartError(`${cause.message}. If that is the user of the server, give --server-user`, { cause });
}

/** Converts an error of the system, such as a full disk, and a file that others can change, to one of the start. */
function startErrorOf(error: unknown, data: string): unknown {
  if (error instanceof CertificateError) return new StartError(error.message, { cause: error });
  if (error instanceof StartError || errorCode(error) === undefined) return error;
  return new StartError(`Cannot use the data directory "${data}": ${failureReason(error)}`, { cause: error });
}
