/** A starter of sessions by setsid(1), which every system has on which the tests run. */
import assert from "node:assert/strict";
import { SessionStarter } from "../../worker/launch/session_starter.ts";

/**
 * Opens a starter, also when the tests run on a terminal.
 *
 * @param directory a directory for the links of the starts
 */
export async function openSessions(directory: string): Promise<SessionStarter> {
  const sessions = await SessionStarter.open(directory, false);
  assert.ok(sessions !== undefined, "The system has no setsid(1) of util-linux");
  return sessions;
}
