/** The second user of an installation in which the server and the job host have different users. */
import { findUser } from "../job_host.ts";
import { StartError } from "./start_error.ts";

/**
 * Returns the number of a user.
 *
 * @param user the name or the number
 * @param option the option that names the user
 * @throws {StartError} when this system has no such user
 */
export function uidOf(user: string, option: string): number {
  const found = findUser({ user });
  if ("credentials" in found) return found.credentials.uid;
  throw new StartError(`Cannot use ${option}: ${found.error}`, { code: "USAGE" });
}
