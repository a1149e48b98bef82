/** Makes a call on the job host for new jobs, and on the next one when that host ends before its answer. */
import { HostUnavailableError } from "../errors.ts";
import type { HostConnection } from "./host_connection.ts";
import type { HostLink } from "./link.ts";

/** The number of hosts that are tried. A host that dies during a call is rare, and two are a defect. */
const MAX_HOSTS = 3;

/**
 * Makes a call on the host for new jobs. The call must be safe to repeat.
 *
 * @param next returns the host for new jobs
 * @throws {HostUnavailableError} when the host lives and does not answer, or when each of three hosts has died
 */
export async function onSomeHost<T>(
  next: () => Promise<HostConnection>,
  call: (link: HostLink) => Promise<T>,
): Promise<T> {
  for (let left = MAX_HOSTS - 1;; left--) {
    const host = await next();
    const { link } = host;
    try {
      return await call(link);
    } catch (error) {
      if (!(error instanceof HostUnavailableError) || left === 0) throw error;
      await host.replaced();
      if (host.open === link) throw error;
    }
  }
}
