/** Helpers for tests of isolated jobs. */
import type { Isolation } from "../../../base/job_options/table.ts";
import { NotEnforceableError } from "../../../mod.ts";
import type { Stream } from "../../../worker/output/frame.ts";
import type { ProcessOptions } from "../../../worker/process/options.ts";
import { Process } from "../../../worker/process/process.ts";
import { IsolationProbe } from "../../../worker/host/isolation_probe.ts";
import { missing, type Need, skippedIf, type TestName } from "../../support/needs.ts";

/** The user of STRICT jobs, which cannot be root. */
export const asUser = (level: Isolation) => level === "STRICT" && Deno.uid() === 0 ? { user: "nobody" } : {};

/** Runs a shell script to its end. */
export async function run(script: string, options: ProcessOptions, ...args: string[]) {
  const text: Record<Stream, string> = { stdout: "", stderr: "" };
  const output = {
    append(stream: Stream, chunk: Uint8Array) {
      text[stream] += new TextDecoder().decode(chunk);
      return Promise.resolve();
    },
  };
  const status = await new Process("sh", ["-c", script, "sh", ...args], { output, ...options }).start();
  return { status, ...text };
}

/** Why a level is not available here. Undefined if it is. */
async function reasonAgainst(level: Isolation): Promise<string | undefined> {
  try {
    await new IsolationProbe().check(level);
    return undefined;
  } catch (error) {
    if (error instanceof NotEnforceableError) return error.message;
    throw error;
  }
}

const against = await reasonAgainst("STRICT") ?? await reasonAgainst("PRIVATE");

/** Names a test that needs isolation and perhaps more. It is skipped on a host that lacks one of them. */
export function isolated(name: string, ...needs: readonly Need[]): TestName {
  return skippedIf(against ?? missing(...needs), name);
}
