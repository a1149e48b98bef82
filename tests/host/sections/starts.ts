/** The ways to start a server on a host: which cgroups and limits each gives, and what is left after its end. */
import type { Machine } from "../machine.ts";
import type { Report } from "../report.ts";
import { waitUntil } from "../scripts.ts";

/** One way to start a server. */
interface Start {
  readonly name: string;
  /** A user of the machine. */
  readonly user: string;
  /** Runs in the background and writes its log to `$log`. */
  readonly start: string;
  readonly stop: string;
  /** Matches the line of the log about cgroups. */
  readonly cgroups: RegExp;
  /** Whether a job that takes more than 32 MiB of memory is ended. */
  readonly limitsMemory: boolean;
}

const SERVE = "teleportd --listen 127.0.0.1:50061 --certs $HOME/.config/teleport --data $HOME/start-data";
const USER_UNIT = `mkdir -p ~/.config/systemd/user && cat >~/.config/systemd/user/teleportd.service <<UNIT
[Service]
Type=notify
Delegate=yes
KillMode=mixed
StandardError=append:$log
ExecStart=${SERVE.replaceAll("$HOME", "%h").replace("teleportd", "/usr/local/bin/teleportd")}
UNIT
systemctl --user daemon-reload && systemctl --user start teleportd`;

const STARTS: readonly Start[] = [
  {
    name: "a unit of a user (systemctl --user)",
    user: "alice",
    start: USER_UNIT,
    stop: "systemctl --user stop teleportd",
    cgroups: /have cgroups in ".*user@1000\.service.*can limit .*memory/,
    limitsMemory: true,
  },
  {
    name: "by hand from an ssh session of a user",
    user: "alice",
    start: `nohup ${SERVE} >>$log 2>&1 </dev/null & echo $! >$HOME/pid`,
    stop: "kill $(cat $HOME/pid)",
    cgroups: /have no cgroups \(.*EACCES/,
    limitsMemory: false,
  },
  {
    name: "by hand in a delegated scope of a user (systemd-run --user --scope)",
    user: "alice",
    start: `nohup systemd-run --user --scope -q -p Delegate=yes ${SERVE} >>$log 2>&1 </dev/null & echo $! >$HOME/pid`,
    stop: "kill $(cat $HOME/pid)",
    cgroups: /have cgroups in ".*\.scope.*can limit .*memory/,
    limitsMemory: true,
  },
  {
    name: "by hand from an ssh session of root",
    user: "root",
    start: `nohup ${SERVE} >>$log 2>&1 </dev/null & echo $! >$HOME/pid`,
    stop: "kill $(cat $HOME/pid)",
    cgroups: /have cgroups in ".*session-.*cannot limit them/,
    limitsMemory: false,
  },
];

/** Allocates memory until it is ended. */
const GREEDY = "sleep 4322 & x=0123456789abcdef; while :; do x=$x$x; done";

/** Tries each way to start a server. */
export async function checkStarts(machine: Machine, report: Report): Promise<void> {
  await machine.must(
    "make a user alice",
    "systemctl stop teleportd.socket teleportd teleportd-host && useradd -m -s /bin/bash alice && loginctl enable-linger alice && mkdir -p ~alice/.ssh ~alice/.config && " +
      "cp ~/.ssh/authorized_keys ~alice/.ssh/ && cp -r ~/.config/teleport ~alice/.config/ && " +
      "rm ~alice/.config/teleport/ca.key && chmod 700 ~alice/.ssh && chown -R alice: ~alice && sleep 3",
  );
  for (const start of STARTS) await checkStart(machine, report, start);
}

async function checkStart(machine: Machine, report: Report, start: Start): Promise<void> {
  const { name, user, cgroups, limitsMemory } = start;
  const began = await machine.run(
    `export log=$HOME/start.log; rm -rf $log $HOME/start-data; touch $log; ${start.start}\n` +
      `${waitUntil("grep -q '^listening on' $log")}; cat $log`,
    user,
  );
  const line = began.text.split("\n").find((line) => line.includes("Jobs have")) ?? began.text;
  report.finding(`${name}: the log says which cgroups there are`, cgroups.test(line), line);
  const greedy = await machine.run(
    `teleport --address 127.0.0.1:50061 run --memory 32MiB -- sh -c '${GREEDY}' 2>&1; echo exit $?; pgrep -c -x -f '(/usr/bin/)?sleep 4322'`,
    user,
  );
  const expected = limitsMemory ? /out of memory\nexit 137\n0/ : /Cannot limit memory.*\nexit 1\n0/;
  report.finding(
    `${name}: a memory limit ${limitsMemory ? "ends the whole job" : "is refused with the reason"}`,
    expected.test(greedy.text),
    greedy.text,
  );
  const daemon = await machine.run(
    "teleport --address 127.0.0.1:50061 run -- sh -c '(setsid env -i sleep 4323 &); sleep 1'; pgrep -c -x -f '(/usr/bin/)?sleep 4323'",
    user,
  );
  report.finding(`${name}: a daemon of a job does not get away`, /^0$/m.test(daemon.text), daemon.text);
  await machine.run(start.stop, user);
  const left = await machine.run(
    `${waitUntil("! pgrep -f 'listen 127.0.0.1:50061' >/dev/null", 60)}; ` +
      "find /sys/fs/cgroup -type d -name 'teleport-*' | grep -v teleport-host; true",
  );
  report.finding(`${name}: no cgroup of a job is left`, left.text.trim() === "", left.text || "none");
}
