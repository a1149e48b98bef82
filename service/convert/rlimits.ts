/** The limits of a job's processes as a message of the wire, and back. */
import type { Rlimits } from "../../mod.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";

/** The limits that a request asks for. */
export function rlimitsOf(rlimits: wire.Rlimits): Rlimits {
  const { address_space_bytes, cpu_seconds, open_files, core_bytes, file_bytes, processes } = rlimits;
  return {
    ...(address_space_bytes === undefined ? {} : { addressSpaceBytes: address_space_bytes }),
    ...(cpu_seconds === undefined ? {} : { cpuSeconds: cpu_seconds }),
    ...(open_files === undefined ? {} : { openFiles: open_files }),
    ...(core_bytes === undefined ? {} : { coreBytes: core_bytes }),
    ...(file_bytes === undefined ? {} : { fileBytes: file_bytes }),
    ...(processes === undefined ? {} : { processes }),
  };
}

/** The limits of a job, for its status. */
export function rlimitsMessage(rlimits: Rlimits): wire.Rlimits {
  const { addressSpaceBytes, cpuSeconds, openFiles, coreBytes, fileBytes, processes } = rlimits;
  return {
    ...(addressSpaceBytes === undefined ? {} : { address_space_bytes: addressSpaceBytes }),
    ...(cpuSeconds === undefined ? {} : { cpu_seconds: cpuSeconds }),
    ...(openFiles === undefined ? {} : { open_files: openFiles }),
    ...(coreBytes === undefined ? {} : { core_bytes: coreBytes }),
    ...(fileBytes === undefined ? {} : { file_bytes: fileBytes }),
    ...(processes === undefined ? {} : { processes }),
  };
}
