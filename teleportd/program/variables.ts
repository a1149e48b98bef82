/** The variables of this process that a program reads: those of its service manager, and of the data directory. */
import { checkVariable } from "../../text/decoded.ts";
import { openServiceManager, type ServiceManager } from "../process/service_manager.ts";
import type { ProcessAccess } from "./process_access.ts";

/**
 * Returns the service manager that started this process. Undefined when none did.
 *
 * @throws {NotUtf8Error} when a variable of the manager is not valid UTF-8
 */
export function managerOf(access: Pick<ProcessAccess, "variable">): ServiceManager | undefined {
  return openServiceManager(checkedVariables(access, ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]));
}

/** @throws {NotUtf8Error} when a variable is not valid UTF-8 */
export function checkedVariables(
  { variable }: Pick<ProcessAccess, "variable">,
  names: readonly string[],
): Record<string, string | undefined> {
  return Object.fromEntries(names.map((name) => [name, checkVariable(name, variable(name))]));
}

/**
 * Returns the variables that name the data directory.
 *
 * @throws {NotUtf8Error} when one is not valid UTF-8
 */
export function directoryVariables(access: Pick<ProcessAccess, "variable">) {
  const { XDG_STATE_HOME, HOME } = checkedVariables(access, ["XDG_STATE_HOME", "HOME"]);
  return { XDG_STATE_HOME, HOME };
}
