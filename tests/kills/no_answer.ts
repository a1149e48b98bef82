/** Calls that were made and not answered, because the server or its job host was killed. */
import { CallError } from "../../rpc/client/client.ts";

/** The statuses of calls that may have been executed although no answer arrived. */
const WITHOUT_ANSWER = new Set(["UNAVAILABLE", "INTERNAL", "UNKNOWN"]);

/** Says whether a failed call may be repeated: the server was killed before its answer, or its job host was. */
export function hasNoAnswer(error: unknown): boolean {
  return error instanceof CallError && error.code !== "INTERNAL" && WITHOUT_ANSWER.has(error.status);
}
