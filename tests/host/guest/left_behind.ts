/** Looks for what ended jobs of the installed service have left: processes, cgroups, or a server that was restarted. */
import { eventually } from "../../support/deadline.ts";
import { markedProcesses } from "../../support/job_processes.ts";

/** The server and the job host, as systemd shows them. */
export interface Service {
  /** The pids of both. */
  readonly pids: readonly number[];
  /** The user of both and of all jobs. */
  readonly uid: number;
  /** The cgroup of the job host. Those of the jobs are below it. */
  readonly cgroup: string;
}

/** Returns the text of a file in /proc. Empty when its process has ended. */
function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** Returns all processes of the user of the service except the server and the job host, also zombies. */
function processesOf(service: Service): string[] {
  const pids = [...Deno.readDirSync("/proc")].map(({ name }) => name).filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) =>
    !service.pids.includes(Number(pid)) &&
    Number(/^Uid:\s+(\d+)/m.exec(textOf(`/proc/${pid}/status`))?.[1]) === service.uid
  ).map((pid) => `${pid} ${textOf(`/proc/${pid}/stat`).split(" ").slice(1, 3).join(" ")}`);
}

/** Returns the cgroups below one, at every depth. */
export function cgroupsBelow(directory: string): string[] {
  const names = [...Deno.readDirSync(directory)].filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  return names.flatMap((name) => [`${directory}/${name}`, ...cgroupsBelow(`${directory}/${name}`)]).sort();
}

/** Looks for what a round has left. */
export async function leftFaults(
  service: Service,
  cgroups: readonly string[],
  ids: ReadonlySet<string>,
): Promise<string[]> {
  const marked = await markedProcesses(ids);
  let left: string[] = [];
  // The kernel gives ended orphans to systemd, which needs a moment to reap them.
  const isEmpty = () => (left = processesOf(service)).length === 0;
  await eventually(isEmpty, "the last process", 10_000).catch(() => {});
  const further = cgroupsBelow(service.cgroup).filter((path) => !cgroups.includes(path));
  const { pids } = await findService();
  return [
    ...(pids.join() === service.pids.join() ? [] : [`a restart: job host and server are ${pids}, not ${service.pids}`]),
    ...marked.map((pid) => `process ${pid} with a job's mark lives`),
    ...left.map((process) => `process ${process} of the service's user is left`),
    ...further.map((path) => `the cgroup ${path} is left`),
  ];
}

/** Asks systemd for both units. */
export async function findService(): Promise<Service> {
  const show = async (unit: string, property: string) => {
    const args = ["show", unit, "-p", property, "--value"];
    return new TextDecoder().decode((await new Deno.Command("systemctl", { args }).output()).stdout).trim();
  };
  const [host, server] = [Number(await show("teleportd-host", "MainPID")), Number(await show("teleportd", "MainPID"))];
  const uid = Number(/^Uid:\s+(\d+)/m.exec(textOf(`/proc/${host}/status`))?.[1]);
  return { pids: [host, server], uid, cgroup: `/sys/fs/cgroup${await show("teleportd-host", "ControlGroup")}` };
}
