/** The limits of a job's processes as a message of the wire, and back. */
import type { Rlimits } from "../../mod.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";
import { defined } from "../../base/defined.ts";

/** The limits that a request asks for. */
export function rlimitsOf(rlimits: wire.Rlimits): Rlimits {
  const { address_space_bytes, cpu_seconds, open_files, core_bytes, file_bytes, processes } = rlimits;
  return {
    ...defined({
      addressSpaceBytes: address_space_bytes,
      cpuSeconds: cpu_seconds,
      openFiles: open_files,
      coreBytes: core_bytes,
      fileBytes: file_bytes,
      processes,
    }),
  };
}

/** The limits of a job, for its status. */
export function rlimitsMessage(rlimits: Rlimits): wire.Rlimits {
  const { addressSpaceBytes, cpuSeconds, openFiles, coreBytes, fileBytes, processes } = rlimits;
  return {
    ...defined({
      address_space_bytes: addressSpaceBytes,
      cpu_seconds: cpuSeconds,
      open_files: openFiles,
      core_bytes: coreBytes,
      file_bytes: fileBytes,
      processes,
    }),
  };
}
