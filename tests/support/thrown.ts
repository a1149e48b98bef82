/** Errors as values, for tests that look at more than the message. */
import assert from "node:assert/strict";

/** Returns what an action throws. Fails when it throws nothing. */
export function thrown(action: () => void): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  assert.fail("It did not throw");
}
