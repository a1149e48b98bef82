/** The end of a session that the user has left. It is apart from the session, which loads only with a terminal. */

/** The user has left the job with the detach keys. */
export class DetachedError extends Error {
  override readonly name = "DetachedError";
}

/** Returns the sentence after a job was left. */
export function detachedText(id: string): string {
  return `Job "${id}" is still running: "teleport attach ${id}" comes back`;
}
