/** Hosts that give a server or its job host less than it needs: cgroups, disk, memory, clock. */
import type { Machine } from "../machine.ts";
import type { Report } from "../report.ts";
import { changeUnit, RESTORE_UNITS, START, STOP, UNTIL_SERVING } from "../scripts.ts";

/** The last line of the log about cgroups. */
const CGROUP_LINE = "journalctl -u teleportd -o cat --no-pager | grep 'Jobs have' | tail -n 1";

/** One fault. */
interface Fault {
  readonly name: string;
  /** Directives for the section [Service] of the job host's unit. */
  readonly host?: string;
  /** Directives for the section [Service] of the server's unit. */
  readonly server?: string;
  /** Prepares the host. The service is stopped. */
  readonly prepare?: string;
  /** Runs while the service is active. Its output is examined. */
  readonly examine: string;
  readonly expected: RegExp;
  readonly restore?: string;
}

const CGROUP = "/sys/fs/cgroup/system.slice/teleportd-host.service";

const FAULTS: readonly Fault[] = [
  {
    name: "a unit without Delegate= gives jobs no cgroups, and the log says why",
    host: "Delegate=no",
    examine: `${CGROUP_LINE}; teleport run echo ran`,
    expected: /have no cgroups \(.*\(EACCES\)[^]*^ran$/m,
  },
  {
    name: "a read-only cgroup file system gives jobs no cgroups, and the log says why",
    host: "ProtectControlGroups=yes",
    examine: `${CGROUP_LINE}; teleport run echo ran`,
    expected: /have no cgroups \(.*\(EROFS\)[^]*^ran$/m,
  },
  {
    name: "without a free cgroup a job does not start, says so, and can start later",
    examine: `echo 4 >${CGROUP}/cgroup.max.descendants; for i in 1 2 3 4; do teleport run -d sleep 1011 2>&1; done; ` +
      `id=$(teleport register echo later); teleport start $id 2>&1; echo max >${CGROUP}/cgroup.max.descendants; ` +
      "teleport start $id; teleport logs -f $id",
    expected: /temporarily unavailable[^]*^later$/m,
  },
  {
    name: "a unit out of memory loses its largest job, with the reason, and not the job host",
    host: "MemoryMax=600M",
    examine: "teleport run -- sh -c 'x=0123456789abcdef; while :; do x=$x$x; done' 2>&1; echo exit $?; " +
      "systemctl show teleportd-host -p ActiveState -p NRestarts",
    expected: /out of memory\nexit 137\nNRestarts=0\nActiveState=active/,
  },
  {
    name: "a server on a full state directory says so, and serves once there is room",
    prepare: "truncate -s 40M /root/small.img && mkfs.ext4 -q /root/small.img && mkdir -p /var/lib/teleport-small && " +
      "mount /root/small.img /var/lib/teleport-small && chown teleport: /var/lib/teleport-small && " +
      "chmod 700 /var/lib/teleport-small && rm -rf /var/lib/teleport-small/lost+found && " +
      "dd if=/dev/zero of=/var/lib/teleport-small/fill bs=64k 2>/dev/null; true",
    host: "ExecStart=\nExecStart=/usr/local/bin/teleportd host run --stay --data /var/lib/teleport-small/data",
    server: "ReadWritePaths=/var/lib/teleport-small\nExecStart=\nExecStart=/usr/local/bin/teleportd " +
      "--job-host external --certs /etc/teleport --data /var/lib/teleport-small/data",
    examine: "sleep 20; journalctl -u teleportd -o cat --no-pager | grep ' error ' | tail -n 1; " +
      `rm /var/lib/teleport-small/fill; ${UNTIL_SERVING}; teleport run echo ran`,
    expected: /(disk|space)[^]*^ran$/im,
    restore: "umount /var/lib/teleport-small",
  },
  {
    // Without a battery, systemd sets the clock at boot to the time at which it was built.
    name: "with a clock that is set after the start the server refuses calls, then takes them, and its jobs continue",
    // It must not run again before the clock is wrong.
    server: "Restart=no",
    prepare:
      `systemctl start teleportd; ${UNTIL_SERVING}; for i in 1 2; do teleport run -d sleep 1012 >/dev/null; done; ` +
      "systemctl kill -s KILL teleportd; sleep 3; echo $(date +%s) $(cut -d. -f1 /proc/uptime) >/root/clock; " +
      "date -s @$(stat -c %Y /usr/lib/systemd/systemd) >/dev/null",
    examine: "journalctl -u teleportd -o cat --no-pager | grep 'is not accepted' | tail -n 1; teleport list 2>&1; " +
      "read -r time up </root/clock; date -s @$((time + $(cut -d. -f1 /proc/uptime) - up)) >/dev/null; " +
      `${UNTIL_SERVING}; teleport run echo ran; teleport --output json list --command 'sleep 1012' | ` +
      `grep -o '"state":"[A-Z]*"' | uniq -c; systemctl show teleportd -p ActiveState`,
    expected: /is not accepted: .*the clock says[^]*the clock[^]*^ran$\s+2 "state":"RUNNING"\nActiveState=active/m,
  },
];

/** Tries each fault. The unit must be installed. */
export async function checkFaults(machine: Machine, report: Report): Promise<void> {
  for (const { name, host = "", server = "", prepare = "true", examine, expected, restore = "true" } of FAULTS) {
    await machine.run(
      `${STOP}\n${changeUnit(`[Service]\n${host}`, "teleportd-host")}${changeUnit(`[Service]\n${server}`)}` +
        `${prepare}; systemctl reset-failed; ${START}`,
    );
    const { text } = await machine.run(examine);
    report.finding(name, expected.test(text), text);
    await machine.run(`${STOP}; ${RESTORE_UNITS}; ${restore}`);
  }
}
