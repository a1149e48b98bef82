// deno-lint-ignore-file no-console -- a program for people, which prints what it does
/** Plays the steps of a demo: ends with an exit code, and cleans up also after a failure or an interruption. */
import { Stage } from "./stage.ts";
import type { StageOptions } from "./stage_parts.ts";
import { StepError } from "./step_error.ts";

/** A demo. */
export interface Play extends StageOptions {
  readonly playSteps: (stage: Stage) => Promise<void>;
  /** The time limit in milliseconds. */
  readonly limitMs: number;
  /** The document that shows the same to the reader. */
  readonly guide: string;
}

/** Runs a demo and returns the exit code. */
export async function play({ playSteps, limitMs, guide, ...options }: Play): Promise<number> {
  if (Deno.build.os !== "linux") {
    console.error("The demo needs Linux: teleportd runs Linux processes");
    return 1;
  }
  const startedAtMs = performance.now();
  const { promise: interrupted, reject: interrupt } = Promise.withResolvers<never>();
  interrupted.catch(() => {});
  const onSignal = () => interrupt(new StepError("The demo was interrupted"));
  const timer = setTimeout(() => interrupt(new StepError(`This took longer than ${limitMs / 1000} s`)), limitMs);
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, onSignal);
  const stage = await Stage.set(options);
  let code = 0;
  try {
    await Promise.race([playSteps(stage), interrupted]);
  } catch (error) {
    code = 1;
    console.error(`\nFAILED at step ${stage.current}`);
    console.error(error instanceof StepError ? error.message : error);
  }
  try {
    await stage.clear();
  } catch (error) {
    code = 1;
    console.error("\nFAILED to clean up:", error instanceof StepError ? error.message : error);
  }
  clearTimeout(timer);
  if (code === 0) {
    stage.print("The temporary folder with certificates and output is removed.");
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
    console.log(`\nEverything was real and took ${seconds} s. ${guide} shows how to do it yourself.`);
  }
  return code;
}
