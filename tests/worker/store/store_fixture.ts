/** Helpers for the tests of the store: a job with all kinds of options, and a temporary directory. */
import type { JobSpec } from "../../../worker/job/spec.ts";
import { encodeSpec } from "../../../worker/store/json.ts";
import type { Store } from "../../../worker/store/store.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** A job with all kinds of options. */
export const SPEC: JobSpec = {
  id: "01890000-0000-7000-8000-000000000000",
  command: "sh",
  args: ["-c", "echo \u0000é"],
  env: { A: "b" },
  cwd: "/",
  labels: { kind: "test" },
  owner: "ann",
  timeoutMs: 5,
  registeredAt: new Date(1_800_000_000_123),
  outputLimit: { maxBytes: 7, policy: "BLOCK" },
};

/** Adds a job to the store. */
export function add(store: Store, spec: JobSpec): void {
  store.add(spec, encodeSpec(spec));
}

/** Runs with an empty temporary directory. */
export async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  await using directory = await tempDir();
  await use(directory.path);
}
