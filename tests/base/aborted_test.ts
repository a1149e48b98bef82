/** Tests of `aborted()`. */
import { aborted } from "../../base/aborted.ts";
import { deadline } from "../support/deadline.ts";

Deno.test("aborted() resolves at once for a signal that has aborted", async () => {
  await deadline(aborted(AbortSignal.abort()));
});

Deno.test("aborted() resolves when the signal aborts later", async () => {
  const controller = new AbortController();
  const waiting = aborted(controller.signal);
  controller.abort();
  await deadline(waiting);
});
