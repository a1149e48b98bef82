/** The limits of all of a job's processes together as a message of the wire, and back. */
import type { CgroupLimits } from "../../mod.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";
import { defined } from "../../base/defined.ts";

/** The limits that a request asks for. */
export function cgroupLimitsOf(limits: wire.CgroupLimits): CgroupLimits {
  const { memory_bytes, cpus, processes, read_bytes_per_s, write_bytes_per_s, io_path } = limits;
  return {
    ...defined({
      maxMemoryBytes: memory_bytes,
      maxCpus: cpus,
      maxProcesses: processes,
      maxReadBytesPerS: read_bytes_per_s,
      maxWriteBytesPerS: write_bytes_per_s,
    }),
    ...(io_path === "" ? {} : { ioPath: io_path }),
  };
}

/** The limits of a job, for its status. */
export function cgroupLimitsMessage(limits: CgroupLimits): wire.CgroupLimits {
  const { maxMemoryBytes, maxCpus, maxProcesses, maxReadBytesPerS, maxWriteBytesPerS, ioPath = "" } = limits;
  return {
    ...defined({
      memory_bytes: maxMemoryBytes,
      cpus: maxCpus,
      processes: maxProcesses,
      read_bytes_per_s: maxReadBytesPerS,
      write_bytes_per_s: maxWriteBytesPerS,
    }),
    io_path: ioPath,
  };
}
