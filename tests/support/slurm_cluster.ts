/**
 * A real Slurm cluster on loopback for tests: munge, a controller and two nodes, in a directory of its own. Debian:
 * `apt-get install --no-install-recommends slurmctld slurmd slurm-client munge`.
 */
import { eventually } from "./deadline.ts";
import { tempDir } from "./temp_dir.ts";

/** The daemons of a cluster. */
export type DaemonName = "munge" | "controller" | "n1" | "n2";

/** The programs of a cluster. Debian has them in /usr/sbin, which is not in everybody's PATH. */
const PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "squeue"];
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** How long nodes take to register with the controller, at most. */
const READY_MS = 60_000;

/** Settings that tests change. Each is a line of slurm.conf(5). */
export interface ClusterOptions {
  readonly settings?: Readonly<Record<string, string>>;
  /** More lines, such as those of partitions. */
  readonly lines?: readonly string[];
  /** The text of cgroup.conf. Absent: no such file. */
  readonly cgroupConf?: string;
}

/** A running cluster. */
export interface SlurmCluster extends AsyncDisposable {
  readonly directory: string;
  /** The path of slurm.conf. */
  readonly conf: string;
  /** The environment of its client commands. */
  readonly env: Readonly<Record<string, string>>;
  /** Starts a daemon again. */
  start(daemon: DaemonName): Promise<void>;
  /** Ends a daemon with a signal, and waits for its end. */
  kill(daemon: DaemonName, signal: Deno.Signal): Promise<void>;
  /** Stops or continues a daemon. */
  signal(daemon: DaemonName, signal: "SIGSTOP" | "SIGCONT"): void;
  /** Runs a client command and returns its standard output. */
  run(command: string, ...args: readonly string[]): Promise<string>;
  /** Waits until both nodes can run jobs. */
  ready(): Promise<void>;
}

/** Tells why no cluster can be made on this machine, or undefined. */
export function clusterMissing(): string | undefined {
  if (Deno.uid() !== 0) return "needs root for a Slurm cluster";
  const lacking = PROGRAMS.filter((program) => {
    const { success } = new Deno.Command("sh", {
      args: ["-c", 'command -v "$1"', "sh", program],
      env: { PATH },
      stdout: "null",
      stderr: "null",
    }).outputSync();
    return !success;
  });
  return lacking.length === 0 ? undefined : `needs Slurm: ${lacking.join(", ")}`;
}

/** Brings up a cluster, which takes about five seconds. */
export async function slurmCluster(options: ClusterOptions = {}): Promise<SlurmCluster> {
  const place = await tempDir({ mode: 0o755 });
  const directory = place.path;
  for (const name of ["munge", "state", "n1", "n2", "log"]) Deno.mkdirSync(`${directory}/${name}`, { mode: 0o755 });
  const conf = `${directory}/slurm.conf`;
  const env = { PATH, HOME: "/root", LANG: "C", SLURM_CONF: conf };
  await Deno.writeFile(`${directory}/munge/key`, crypto.getRandomValues(new Uint8Array(1_024)), { mode: 0o600 });
  await Deno.writeTextFile(conf, configuration(directory, options));

  if (options.cgroupConf !== undefined) await Deno.writeTextFile(`${directory}/cgroup.conf`, options.cgroupConf);

  const commands: Readonly<Record<DaemonName, readonly string[]>> = {
    munge: ["munged", "--foreground", "--force", ...mungeFiles(directory)],
    controller: ["slurmctld", "-D", "-f", conf],
    n1: ["slurmd", "-D", "-f", conf, "-N", "n1"],
    n2: ["slurmd", "-D", "-f", conf, "-N", "n2"],
  };
  const daemons = new Map<DaemonName, Deno.ChildProcess>();
  const start = async (name: DaemonName) => {
    const [program = "", ...args] = commands[name];
    const command = new Deno.Command(program, {
      args,
      env,
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
    daemons.set(name, command.spawn());
    if (name === "munge") await eventually(() => exists(`${directory}/munge/s`), "the socket of munge");
  };
  const run = async (command: string, ...args: readonly string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(command, { args: [...args], env, clearEnv: true }).output();
    const [text = "", why = ""] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    if (code !== 0) throw new Error(`${command} ${args.join(" ")} failed with ${code}: ${why}`);
    return text;
  };
  const states = () => run("sinfo", "-h", "-N", "-p", "main", "-o", "%T").catch(() => "");
  const ready = () =>
    eventually(async () => /^(idle\n|mixed\n|allocated\n){2}$/.test(await states()), "two nodes", READY_MS);
  const kill = async (name: DaemonName, signal: Deno.Signal) => {
    const daemon = daemons.get(name);
    daemons.delete(name);
    try {
      daemon?.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // The daemon has ended already, such as at its start.
    }
    await daemon?.status;
  };

  const cluster: SlurmCluster = {
    directory,
    conf,
    env,
    start,
    kill,
    run,
    ready,
    signal: (name, signal) => daemons.get(name)?.kill(signal),
    async [Symbol.asyncDispose]() {
      for (const name of ["n1", "n2", "controller", "munge"] as const) await kill(name, "SIGKILL");
      await eventually(() => endLeftovers(conf) === 0, "the end of all processes of the cluster");
      await place[Symbol.asyncDispose]();
    },
  };
  try {
    for (const name of ["munge", "controller", "n1", "n2"] as const) await start(name);
    await ready();
    return cluster;
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}

/** Kills step daemons and jobs, which all have the path of the configuration in their environment. */
function endLeftovers(conf: string): number {
  let found = 0;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === Deno.pid) continue;
    try {
      if (!Deno.readTextFileSync(`/proc/${name}/environ`).includes(`SLURM_CONF=${conf}`)) continue;
      found++;
      Deno.kill(Number(name), "SIGKILL");
    } catch {
      // The process has ended meanwhile, or it is a zombie that its parent has not read.
    }
  }
  return found;
}

/** The name of the socket is short: the path of a socket has at most 107 bytes; unix(7). */
function mungeFiles(directory: string): string[] {
  const at = (name: string) => `${directory}/munge/${name}`;
  return [
    `--key-file=${at("key")}`,
    `--socket=${at("s")}`,
    `--pid-file=${at("pid")}`,
    `--seed-file=${at("seed")}`,
    `--log-file=${at("log")}`,
  ];
}

/** slurm.conf(5), with ports and node names of its own. */
function configuration(directory: string, { settings, lines = [] }: ClusterOptions): string {
  const [controller, first, second] = freePorts(3);
  const host = Deno.hostname();
  const all: Record<string, string | number | undefined> = {
    ClusterName: "lab",
    SlurmctldHost: `${host}(127.0.0.1)`,
    SlurmUser: "root",
    SlurmdUser: "root",
    AuthType: "auth/munge",
    AuthInfo: `socket=${directory}/munge/s`,
    CryptoType: "crypto/munge",
    StateSaveLocation: `${directory}/state`,
    SlurmdSpoolDir: `${directory}/%n`,
    SlurmctldPidFile: `${directory}/controller.pid`,
    SlurmdPidFile: `${directory}/%n.pid`,
    SlurmctldLogFile: `${directory}/log/controller.log`,
    SlurmdLogFile: `${directory}/log/%n.log`,
    SlurmctldPort: controller,
    ProctrackType: "proctrack/linuxproc",
    TaskPlugin: "task/none",
    SelectType: "select/cons_tres",
    SelectTypeParameters: "CR_Core",
    MpiDefault: "none",
    ReturnToService: 2,
    JobRequeue: 0,
    KillWait: 5,
    SlurmdTimeout: 20,
    MinJobAge: 300,
    SchedulerParameters: "sched_interval=2,batch_sched_delay=0,defer=0",
    JobAcctGatherType: "jobacct_gather/none",
    AccountingStorageType: "accounting_storage/none",
    ...settings,
  };
  // Tests run more jobs at once than this machine has processors, so each node claims to have many.
  const node = (name: string, port: number | undefined) =>
    `NodeName=${name} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${port} CPUs=16 RealMemory=8000 State=UNKNOWN`;
  return [
    ...Object.entries(all).map(([name, value]) => `${name}=${value}`),
    "SlurmdParameters=config_overrides",
    node("n1", first),
    node("n2", second),
    "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=YES",
    "PartitionName=short Nodes=ALL MaxTime=1 State=UP",
    ...lines,
    "",
  ].join("\n");
}

/** Finds free ports. Another program could take one before it is used; a test then fails at the start of the cluster. */
function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map(({ addr }) => (addr as Deno.NetAddr).port);
  for (const listener of listeners) listener.close();
  return ports;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
