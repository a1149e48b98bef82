/** The limits and the end of jobs in cgroups, in units as the user `teleport` and as root. */
import type { Machine } from "../machine.ts";
import type { Report } from "../report.ts";
import { changeUnit, RESTORE_UNITS, START, STOP } from "../scripts.ts";
import { PROMISES, recordFindings } from "./job_promises.ts";

const TESTS = ["cgroup_test.ts", "cgroup_enforced_test.ts", "tree_test.ts"].map((name) =>
  `tests/worker/cgroup/${name}`
);

/** A word of a shell. */
const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/** The user and the extent of the section. */
export interface CgroupOptions {
  readonly user: "teleport" | "root";
  /** Whether the library's tests of cgroups also run. */
  readonly withTests: boolean;
}

/** Tries every promise about cgroups. The units must be installed. */
export async function checkCgroups(
  machine: Machine,
  report: Report,
  { user, withTests }: CgroupOptions,
): Promise<void> {
  const tell = (name: string, holds: boolean, saw: string) => report.finding(`${user}: ${name}`, holds, saw);
  // A key that a group can read is refused by a server of root.
  const certs = user === "root" ? "/root/install" : "/etc/teleport";
  const data = `/var/lib/teleport-${user}/data`;
  const asUser = `[Service]
User=${user}
StateDirectory=teleport-${user}
ExecStart=`;
  await machine.must(
    `start the server and the job host as ${user}`,
    changeUnit(
      `${asUser}
ExecStart=/usr/local/bin/teleportd host run --stay --data ${data}
ExecStop=
ExecStop=/usr/local/bin/teleportd host stop --data ${data}`,
      "teleportd-host",
    ) +
      changeUnit(`${asUser}
ProtectHome=no
ExecStart=/usr/local/bin/teleportd --job-host external --certs ${certs} --data ${data}`) +
      `${STOP}; ${START}`,
  );
  const { text: log } = await machine.run("journalctl -u teleportd -o cat --no-pager | grep -i 'cgroups' | tail -n 1");
  tell("jobs have cgroups with every controller", /limit cpu, io, memory, pids/.test(log), log);
  for (const { name, args, expected } of PROMISES) {
    const { code, text } = await machine.run(["teleport", ...args].map(quoted).join(" "));
    tell(name, expected.test(`${text}exit ${code}`), `${text}exit ${code}`);
  }
  const { text: listed } = await machine.run("teleport --output json list");
  const jobs = listed.trim().split("\n").map((line) => JSON.parse(line));
  for (const { name, holds, saw } of recordFindings(jobs)) tell(name, holds, saw);
  const daemon = await machine.run("pgrep -x -f '(/usr/bin/)?sleep 4321'");
  tell("a daemon of a job is gone", daemon.code === 1, daemon.text || "no such process");
  const restarts = await machine.run("systemctl show teleportd-host -p NRestarts -p ActiveState");
  tell(
    "a job out of memory does not end the job host",
    /NRestarts=0\nActiveState=active/.test(restarts.text),
    restarts.text,
  );
  const stopped = await machine.run(`${STOP}; ls -d /sys/fs/cgroup/system.slice/teleportd-host.service`);
  tell("no cgroup of the unit is left", stopped.code !== 0, stopped.text);
  if (withTests) await runTests(machine, tell, user);
  await machine.must("give the units their own user again", RESTORE_UNITS);
}

/** Runs tests of the library in a unit of their own. */
async function runTests(
  machine: Machine,
  tell: (name: string, holds: boolean, saw: string) => void,
  user: string,
): Promise<void> {
  const ran = await machine.run(
    `systemd-run -q --pipe --wait --collect -p Delegate=yes -p User=${user} -p WorkingDirectory=/srv/teleport ` +
      `-E HOME=/var/lib/teleport-${user} -E DENO_DIR=/usr/local/lib/standin/deno_dir -E NO_COLOR=1 ` +
      `-E PATH=/usr/local/bin:/usr/bin:/bin /usr/local/bin/deno test --cached-only --no-check -A ${TESTS.join(" ")}`,
  );
  const summary = ran.text.split("\n").filter((line) => /FAILED|passed|skipped/.test(line)).join("\n");
  tell("the library's tests of cgroups pass", ran.code === 0, summary || ran.text.slice(-300));
}
