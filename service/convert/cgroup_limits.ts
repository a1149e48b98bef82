/** The limits of all of a job's processes together as a message of the wire, and back. */
import type { CgroupLimits } from "../../mod.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";

/** The limits that a request asks for. */
export function cgroupLimitsOf(limits: wire.CgroupLimits): CgroupLimits {
  const { memory_bytes, cpus, processes, read_bytes_per_s, write_bytes_per_s, io_path } = limits;
  return {
    ...(memory_bytes === undefined ? {} : { maxMemoryBytes: memory_bytes }),
    ...(cpus === undefined ? {} : { maxCpus: cpus }),
    ...(processes === undefined ? {} : { maxProcesses: processes }),
    ...(read_bytes_per_s === undefined ? {} : { maxReadBytesPerS: read_bytes_per_s }),
    ...(write_bytes_per_s === undefined ? {} : { maxWriteBytesPerS: write_bytes_per_s }),
    ...(io_path === "" ? {} : { ioPath: io_path }),
  };
}

/** The limits of a job, for its status. */
export function cgroupLimitsMessage(limits: CgroupLimits): wire.CgroupLimits {
  const { maxMemoryBytes, maxCpus, maxProcesses, maxReadBytesPerS, maxWriteBytesPerS, ioPath = "" } = limits;
  return {
    ...(maxMemoryBytes === undefined ? {} : { memory_bytes: maxMemoryBytes }),
    ...(maxCpus === undefined ? {} : { cpus: maxCpus }),
    ...(maxProcesses === undefined ? {} : { processes: maxProcesses }),
    ...(maxReadBytesPerS === undefined ? {} : { read_bytes_per_s: maxReadBytesPerS }),
    ...(maxWriteBytesPerS === undefined ? {} : { write_bytes_per_s: maxWriteBytesPerS }),
    io_path: ioPath,
  };
}
