/** Runs each command of a user on a job of this machine and on one of Slurm, and compares. Slow: it brings up a cluster. */
import assert from "node:assert/strict";
import { skippedIf } from "../support/needs.ts";
import type { Ended, Server } from "../support/programs.ts";
import { clusterMissing, slurmCluster } from "../support/slurm_cluster.ts";
import { nothingOnNodes, startGateway, stopGateway } from "../support/slurm_gateway.ts";
import { tempDir } from "../support/temp_dir.ts";
import { Side } from "./side_by_side.ts";

type Scenario = (side: Side) => Promise<readonly (Ended | string)[]>;

const sh = (script: string) => ["sh", "-c", script];

/** A process that says when it has left the shell that has forked it. */
const UP_AND_SLEEP = `sh -c "echo up; exec sleep 600"`;

/** A script that prints what the options of a job have changed. */
const SHOW_OPTIONS = "umask; nice; ulimit -n; cat /proc/self/oom_score_adj; echo $A; pwd; id -un; id -gn";

/**
 * Scenarios of one lane run one after another, because some use jobs of earlier ones. Each lane has a server of its own. A
 * job host does not know the processor times of two jobs whose ends it sees at once.
 */
const LANES: readonly Readonly<Record<string, Scenario>>[] = [
  {
    "run prints both streams and exits as the job": async (side) => [
      await side.job(["run"], "--name", "NAME-run", ...sh("echo out; echo err >&2; exit 7")),
      await side.job(["--output", "json", "run"], ...sh("echo out")),
      await side.job(["run"], ...sh("kill $$")),
      await side.job(["run"], "--timeout", "300ms", "sleep", "60"),
      await side.job(["run"], "--rm", "--on-end", "echo $TELEPORT_JOB_STATE $TELEPORT_EXIT_CODE", ...sh("exit 3")),
    ],
    "an ended job is shown in every form": async (side) => [
      await side.teleport("status", "NAME-run"),
      await side.teleport("status", "--absolute", "NAME-run"),
      await side.teleport("--output", "json", "status", "NAME-run"),
      await side.teleport("inspect", "NAME-run"),
      await side.teleport("--output", "name", "status", "NAME-run"),
      await side.teleport("--output", "template={{state}} {{exit_code}}", "status", "NAME-run"),
      await side.teleport("wait", "NAME-run"),
    ],
    "input": async (side) => {
      await side.job(["run", "-d"], "--name", "NAME-input", "-i", "cat");
      await side.until("NAME-input", "RUNNING");
      const first = await side.withInput("one\n", "input", "--keep-open", "NAME-input");
      await side.printed("NAME-input", "one\n");
      return [
        first,
        await side.teleport("status", "NAME-input"),
        await side.withInput("two\n", "input", "NAME-input"),
        await side.teleport("logs", "-f", "NAME-input"),
        await side.withInput("three\n", "input", "NAME-input"),
        await side.job(["register"], "--name", "NAME-none", "true"),
        await side.withInput("x", "input", "NAME-none"),
      ];
    },
    "a terminal": async (side) => {
      // A terminal shows its input at once, so the size comes first.
      const script = "test -t 0 && echo terminal; stty size; read line; echo got $line";
      await side.ready("NAME-tty", "terminal\r\n24 80\r\n", "-t", ...sh(script));
      return [
        await side.withInput("line\n", "input", "NAME-tty"),
        await side.teleport("logs", "-f", "NAME-tty"),
        await side.teleport("status", "NAME-tty"),
      ];
    },
    "stop with a grace period": async (side) => {
      const script = `trap "" TERM; setsid ${UP_AND_SLEEP} & ${UP_AND_SLEEP} & wait; wait; sleep 600`;
      await side.ready("NAME-stop", "up\nup\n", "--grace", "400ms", ...sh(script));
      return [
        await side.teleport("stop", "NAME-stop"),
        await side.teleport("status", "NAME-stop"),
        await side.teleport("--output", "json", "stop", "NAME-stop"),
      ];
    },
    "starts that fail": async (side) => [
      await side.job(["run"], "--name", "NAME-missing", "/no/such/program"),
      await side.job(["run"], "--name", "NAME-passwd", "/etc/passwd"),
      await side.job(["run"], "--name", "NAME-cwd", "--cwd", "/no/such/directory", "true"),
      await side.job(["run"], "--name", "NAME-user", "--user", "nosuchuser", "true"),
      await side.teleport("status", "NAME-missing"),
      await side.teleport("--output", "json", "status", "NAME-user"),
    ],
    "limits of output": async (side) => [
      await side.job(["run"], "--name", "NAME-o1", "--max-output", "10k", ...sh("seq 1 100000 >/dev/null; echo up")),
      await side.job(
        ["run"],
        "--name",
        "NAME-o2",
        "--max-output",
        "10k",
        "--output-policy",
        "stop",
        // It does not end by itself before it is stopped.
        ...sh("seq 1 100000; exec sleep 600"),
      )
        .then(({ code, stderr }) => ({ code, stderr, stdout: "" })),
      await side.job(
        ["run", "-d"],
        "--name",
        "NAME-o3",
        "--max-output",
        "10k",
        "--output-policy",
        "keep-newest",
        "seq",
        "50000",
      )
        .then(() => side.until("NAME-o3", "EXITED")).then(() => side.teleport("logs", "-n", "3", "NAME-o3")),
      `${await side.fact("NAME-o2", "state")} ${await side.fact("NAME-o2", "reason")}`,
    ],
  },
  {
    "logs of an ended job": async (side) => [
      await side.job(["run", "--name", "NAME-logs"], ...sh("seq 1 20; echo problem >&2")),
      await side.teleport("logs", "NAME-logs"),
      await side.teleport("logs", "-f", "NAME-logs"),
      await side.teleport("logs", "-n", "2", "--stdout", "NAME-logs"),
      await side.teleport("logs", "--tail-bytes", "5", "--stdout", "NAME-logs"),
      await side.teleport("logs", "--stderr", "NAME-logs"),
      await side.teleport("logs", "--grep", "^1[13]$", "NAME-logs"),
      await side.teleport("logs", "--offsets", "--stdout", "NAME-logs"),
      await side.teleport("logs", "-t", "--stderr", "NAME-logs"),
      await side.teleport("--output", "json", "logs", "--stderr", "NAME-logs"),
    ],
    "register, start and watch": async (side) => [
      await side.job(["register"], "--name", "NAME-life", "--label", "side=NAME", ...sh("sleep 0.2; exit 4")),
      await side.teleport("status", "NAME-life"),
      await side.teleport("start", "NAME-life"),
      await side.teleport("--output", "json", "watch", "NAME-life"),
      await side.teleport("logs", "NAME-life"),
      await side.teleport("rerun", "NAME-life"),
    ],
    "signal, pause, resume and kill": async (side) => {
      const script = `trap "exit 9" USR1; (trap "" USR1; echo up; exec sleep 600) & wait`;
      await side.ready("NAME-signal", "up\n", ...sh(script));
      return [
        await side.teleport("pause", "NAME-signal"),
        await side.teleport("status", "NAME-signal"),
        await side.teleport("resume", "NAME-signal"),
        await side.teleport("resume", "NAME-signal"),
        await side.teleport("signal", "NAME-signal", "NOSUCH"),
        // The job continues after this one, so its state is known.
        await side.teleport("--output", "json", "signal", "NAME-signal", "CONT"),
        await side.teleport("signal", "NAME-signal", "USR1"),
        await side.teleport("wait", "NAME-signal"),
        await side.teleport("status", "NAME-signal"),
        await side.teleport("signal", "NAME-signal", "USR1"),
        await side.teleport("pause", "NAME-signal"),
      ];
    },
    "a running job and its usage": async (side) => {
      await side.ready("NAME-usage", "up\n", ...sh("echo up; exec sleep 600"));
      const shown = [
        await side.teleport("status", "NAME-usage"),
        await side.teleport("--output", "json", "status", "NAME-usage"),
        await side.teleport("ls", "--label", "none=none"),
        await side.teleport("rm", "NAME-usage"),
      ];
      return [
        ...shown,
        await side.teleport("kill", "NAME-usage"),
        await side.teleport("wait", "NAME-usage"),
        await side.teleport("rm", "NAME-usage"),
        await side.teleport("status", "NAME-usage"),
      ];
    },
    "list and its filters": async (side) => [
      await side.teleport("ls", "--label", "side=NAME", "--no-trunc"),
      await side.teleport("--output", "json", "ls", "--label", "side=NAME", "--state", "EXITED"),
      await side.teleport("ls", "-q", "--label", "side=NAME", "--state", "RUNNING"),
      await side.teleport("ls", "--label", "side=NAME", "--ended-since", "1h", "--sort", "ended", "-n", "1", "-q"),
      await side.teleport("rm", "--label", "side=NAME", "--ended"),
    ],
    "options of the process": async (side) => [
      await side.job(["run"], "--name", "NAME-options", "--umask", "027", "--nice", "5", ...sh(SHOW_OPTIONS)),
      await side.job(["run"], "--ulimit", "nofile=100", "-e", "A=b", "--cwd", "/usr", ...sh(SHOW_OPTIONS)),
      await side.job(["run"], "--oom-score-adj", "500", "--user", "nobody", ...sh(SHOW_OPTIONS)),
      await side.job(["run"], "--group", "games", ...sh(SHOW_OPTIONS)),
      await side.job(["run"], "--isolate", "private", ...sh("ls /tmp | wc -l; id -un")),
      await side.job(["run"], "--isolate", "strict", "--user", "nobody", ...sh("touch /usr/x; id -un")),
      await side.job(["run"], "--like", "NAME-logs", "--inherit-env", ...sh("echo $HOME; pwd")),
      await side.job(["run"], "--allow-new-privileges", ...sh("grep NoNewPrivs /proc/self/status")),
      await side.job(["run"], ...sh("env | grep -v -e ^SLURM -e ^TELEPORT_ID | sort; ls -l /proc/self/fd | wc -l")),
    ],
    "an option that is not possible": async (side) => [
      // A node refuses it only when the job comes there, so that job is FAILED, and its exit code is 126.
      await side.job(["run"], "--isolate", "strict", "true").then(({ stderr, code }) => {
        return `${code === (side.engine === "local" ? 1 : 126)} ${
          stderr.replace(/Node "n[12]" cannot run the job: /, "")
        }`;
      }),
    ],
    "copies are files of the server": async (side) => [
      await side.teleport("cp", "-q", "deno.json", ":PLACE/NAME-copy"),
      await side.teleport("cp", "-q", ":PLACE/NAME-copy", "PLACE/NAME-back"),
      await side.job(["run"], "--engine", "local", "rm", "PLACE/NAME-copy", "PLACE/NAME-back"),
    ],
  },
];

Deno.test(skippedIf(clusterMissing(), "a job of Slurm behaves as one of this machine, in every command"), async (t) => {
  await using cluster = await slurmCluster();
  await using place = await tempDir();
  await using stack = new AsyncDisposableStack();
  const dirs = LANES.map((_, at) => `${place.path}/${at}`);
  const servers: Server[] = [];
  for (const dir of dirs) {
    const server = await startGateway(cluster, dir, "127.0.0.1:0", ["--inherit-env=HOME"]);
    stack.defer(() => stopGateway(server));
    servers.push(server);
  }
  // The lanes run at the same time, because most of their time is waiting.
  const results = LANES.flatMap((lane, at) => {
    const sides = ["local", "slurm"].map((engine) => new Side(servers[at]!, engine));
    let before: Promise<unknown> = Promise.resolve();
    return Object.entries(lane).map(([name, scenario]) => {
      const result = before.then(() => Promise.all(sides.map(scenario)));
      before = result.catch(() => {}); // Its step reports the error.
      return { name, result };
    });
  });
  for (const { name, result } of results) {
    const fn = async () => {
      const [local, slurm] = await result;
      assert.deepEqual(slurm, local);
    };
    await t.step({ name, fn, sanitizeOps: false, sanitizeResources: false });
  }
  for (const dir of dirs) await nothingOnNodes(cluster, dir);
});
