/** The limits of all of a job's processes together, as people type and read them. */
import type { Command } from "commander";
import type { Sent } from "../../proto/service.ts";
import type { CgroupLimits } from "../../proto/teleport/v1/job_worker.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import { parseSizeBytes } from "../../units/size.ts";
import { UsageError } from "../../units/usage_error.ts";
import { defined } from "../../base/defined.ts";

/** Options as typed. */
export interface CgroupFlags {
  /** Bytes. */
  readonly memory?: number;
  readonly cpus?: number;
  readonly pids?: number;
  /** Bytes in a second. */
  readonly readRate?: number;
  /** Bytes in a second. */
  readonly writeRate?: number;
  readonly ioPath?: string;
}

/** Adds the options to a command. */
export function addCgroupOptions(command: Command): Command {
  const size = (name: string) => (text: string) => parseSizeBytes(text, name);
  return command
    .option("--memory <SIZE>", "memory of all its processes; one that needs more is killed", size("--memory"))
    .option("--cpus <NUMBER>", "cores that all its processes may use, such as 1.5", parseCpus)
    .option("--pids <COUNT>", "processes and threads it may have at a time", parsePids)
    .option("--read-rate <SIZE>", "what it may read from its disk in a second", size("--read-rate"))
    .option("--write-rate <SIZE>", "what it may write to its disk in a second", size("--write-rate"))
    .option("--io-path <PATH>", "a path on that disk (default: its working directory)");
}

/**
 * The limits that were typed; undefined where there are none.
 *
 * @throws {UsageError} for a path without a rate
 */
export function cgroupLimits(flags: CgroupFlags): Sent<CgroupLimits> | undefined {
  const { memory, cpus, pids, readRate, writeRate, ioPath } = flags;
  if (ioPath !== undefined && readRate === undefined && writeRate === undefined) {
    throw new UsageError("--io-path needs a rate to be for: give --read-rate or --write-rate too");
  }
  const limits = {
    ...defined({
      memory_bytes: memory,
      cpus,
      processes: pids,
      read_bytes_per_s: readRate,
      write_bytes_per_s: writeRate,
      io_path: ioPath,
    }),
  };
  return Object.keys(limits).length === 0 ? undefined : limits;
}

function parseCpus(text: string): number {
  const cpus = Number(text);
  if (/^(\d+\.?\d*|\.\d+)$/.test(text) && cpus > 0) return cpus;
  throw new UsageError(`Invalid value "${text}" for --cpus: give a number of cores, such as 1.5`);
}

function parsePids(text: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`Invalid value "${text}" for --pids: give a whole number from 1 to 999999999`);
}

/** The limits in words; empty where there are none. */
export function cgroupLimitsText(limits: CgroupLimits | null): string {
  if (limits === null) return "";
  const { memory_bytes, cpus, processes, read_bytes_per_s, write_bytes_per_s, io_path } = limits;
  return [
    memory_bytes === undefined ? "" : `${memory_bytes} bytes of memory`,
    cpus === undefined ? "" : `${cpus} cores`,
    processes === undefined ? "" : `${processes} processes`,
    read_bytes_per_s === undefined ? "" : `reading ${read_bytes_per_s} bytes/s`,
    write_bytes_per_s === undefined ? "" : `writing ${write_bytes_per_s} bytes/s`,
    io_path === "" ? "" : `on the disk of ${escapeTerminal(io_path)}`,
  ].filter((part) => part !== "").join(", ");
}
