/** The promises about cgroups, each as a command line of `teleport` and its expected output. */

/** One promise. */
export interface Promised {
  readonly name: string;
  /** The arguments of `teleport`. */
  readonly args: readonly string[];
  /** Matches all its output, followed by `exit CODE`. */
  readonly expected: RegExp;
}

const sh = (script: string) => ["sh", "-c", script];

export const PROMISES: readonly Promised[] = [
  {
    name: "memory kills the whole job, reason OUT_OF_MEMORY",
    args: ["run", "--memory", "32MiB", ...sh("sleep 1000 & x=0123456789abcdef; while :; do x=$x$x; done")],
    expected: /exit 137$/,
  },
  {
    name: "pids refuses the next fork",
    args: ["run", "--pids", "4", ...sh("for i in 1 2 3 4 5 6; do sleep 1000 & done; echo all of them")],
    expected: /^(?!.*all of them)[^]*exit (?!0$)\d+$/,
  },
  {
    name: "cpus lets it run, until its time limit",
    args: [
      "run",
      "--cpus",
      "0.2",
      "--timeout",
      "20s",
      "--grace",
      "0s",
      ...sh("while :; do :; done & while :; do :; done"),
    ],
    expected: /exit 124$/,
  },
  {
    name: "write rate holds: 4 MiB at 1 MiB a second",
    args: [
      ...["run", "--write-rate", "1MiB", "--io-path", "/var", "--cwd", "/var/tmp"],
      ...sh("dd if=/dev/zero of=$$.rate bs=64k count=64 oflag=direct 2>&1; rm $$.rate"),
    ],
    expected: /copied, [345](\.[0-9]+)? s,[^]*exit 0$/,
  },
  {
    name: "a job whose daemon has no environment and no parent ends",
    args: ["run", ...sh("(setsid env -i sleep 4321 &); sleep 1")],
    expected: /^exit 0$/,
  },
];

/** The status of a job, as `teleport --output json` prints it. */
export interface JobRecord {
  readonly reason?: string;
  readonly usage?: { readonly cpu_source?: string; readonly cpu_user_us?: number; readonly cpu_system_us?: number };
}

/** Checks the statuses of those jobs. Returns each promise with the values that were seen. */
export function recordFindings(jobs: readonly JobRecord[]): { name: string; holds: boolean; saw: string }[] {
  const sources = new Set(jobs.map(({ usage }) => usage?.cpu_source));
  const killed = jobs.filter(({ reason }) => reason === "OUT_OF_MEMORY").length;
  const limited = jobs.find(({ reason }) => reason === "TIMED_OUT")?.usage;
  const usedS = ((limited?.cpu_user_us ?? NaN) + (limited?.cpu_system_us ?? NaN)) / 1e6;
  return [
    { name: "the memory limit is the reason on record", holds: killed === 1, saw: `${killed} OUT_OF_MEMORY` },
    {
      name: "cpus holds processor time within 15%",
      holds: usedS > 3.4 && usedS < 4.6,
      saw: `${usedS} s, 4 s are right`,
    },
    { name: "records say CGROUP", holds: sources.size === 1 && sources.has("CGROUP"), saw: [...sources].join() },
  ];
}
