/** The options of a job host, and its properties that do not change. */
import { defined } from "../../base/defined.ts";
import type { FileModes } from "../../base/file_modes.ts";
import type { CgroupTree } from "../cgroup/tree.ts";
import type { SessionStarter } from "../launch/session_starter.ts";
import type { HostCgroups, HostInfo } from "./link.ts";

/** The options of a job host. */
export interface JobHostOptions {
  /** The directory with the output of all jobs. */
  readonly outputDirectory: string;
  /** The directory with one directory for each job host. */
  readonly hostsDirectory: string;
  /** Identifies this run: 16 random hexadecimal digits. */
  readonly instance: string;
  /** The version of the program. */
  readonly version: string;
  /** The cgroups of jobs, for this host alone. Absent: processes of jobs are found in /proc. */
  readonly cgroups?: CgroupTree;
  /** Makes the sessions of jobs. Absent: the system does, which takes longer. */
  readonly sessions?: SessionStarter;
  /** Says whether jobs have cgroups, and why not. */
  readonly cgroupText: string;
  /** The modes of all files that others than this process may need. Default: for the owner alone. */
  readonly modes?: FileModes;
  /** Starts another host, and returns its instance. Absent: this host cannot. */
  readonly succeed?: () => Promise<string>;
  /** Called when a job has changed. Must return at once. */
  readonly onJobChange?: () => void;
  /** Called when the output of a job has grown, which may be thousands of times a second. Must return at once. */
  readonly onOutput?: () => void;
  /** Called when a supervisor has retired this host, or uses it again. */
  readonly onRetire?: (isRetired: boolean) => void;
  /** Called soon after `isIdle` has become true, when it still is; maybe more than once. */
  readonly onIdle?: () => void;
  /** Called with errors that no caller gets while no supervisor is attached. */
  readonly onError?: (error: Error) => void;
}

/** Returns the properties of a job host in this process. */
export function hostInfo({ instance, version, cgroups, cgroupText }: JobHostOptions): HostInfo {
  return {
    instance,
    pid: Deno.pid,
    startedAt: new Date(),
    version,
    ...defined({ cgroups: cgroups && cgroupsOf(cgroups) }),
    cgroupText,
  };
}

function cgroupsOf({ directory, controllers, lacking }: CgroupTree): HostCgroups {
  return { directory, controllers: [...controllers], lacking: Object.fromEntries(lacking) };
}
