/** A log whose entries also go to the audit log. */
import type { Logger } from "../base/logger.ts";
import type { Audit } from "../service/audit/audit.ts";

/** Returns a log whose entries also go to the audit log, as events of the server itself. Debug entries do not. */
export function logToAudit(log: Logger, audit: Audit): Logger {
  const both = (level: "error" | "warn" | "info"): Logger["info"] => (message, fields) => {
    log[level](message, fields);
    audit.record({ event: "server", text: message });
  };
  return {
    error: both("error"),
    warn: both("warn"),
    info: both("info"),
    debug: (message, fields) => log.debug(message, fields),
  };
}
