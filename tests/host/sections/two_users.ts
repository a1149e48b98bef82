/** The server and the job host as different users, installed as the documents say: what works, and what a job cannot do. */
import { codeOf } from "../documents.ts";
import type { Machine } from "../machine.ts";
import type { Report } from "../report.ts";
import { START, UNTIL_SERVING } from "../scripts.ts";

const DATA = "/var/lib/teleport/data";

/** Commands that must fail in a job. */
const FORBIDDEN = [
  "cat /etc/teleport/server.key",
  `cat ${DATA}/jobs.db`,
  `ls ${DATA}/audit`,
  `ls ${DATA}`,
  `touch ${DATA}/new`,
  "kill -TERM $(systemctl show teleportd -p MainPID --value)",
];

/** Tries every promise about two users. The services are running afterwards, still with two users. */
export async function checkTwoUsers(machine: Machine, report: Report): Promise<void> {
  const before = await machine.run(`${START}; ${UNTIL_SERVING}; teleport run echo earlier output`);
  const install = await codeOf("docs/service-and-image.md", "Two users");
  const installed = await machine.run(`set -e; cd /root/install\n${install}\n${UNTIL_SERVING}`);
  report.finding(
    "the commands of the documents give the job host a user of its own",
    installed.code === 0,
    installed.text,
  );
  const users = await machine.run(
    "teleport run id; ps -o user= -p $(systemctl show teleportd -p MainPID --value); " +
      "ps -o user= -p $(systemctl show teleportd-host -p MainPID --value)",
  );
  report.finding(
    "a job has the user of the job host, the server has another one, and the job is not in its group",
    /uid=\d+\(teleport-jobs\) gid=\d+\(teleport-jobs\) groups=\d+\(teleport-jobs\)\nteleport\s*\nteleport(-jobs|\+)/
      .test(
        users.text,
      ),
    users.text,
  );
  const output = await machine.run(
    "teleport logs $(teleport list -q --command earlier); id=$(teleport run -d -- sh -c 'sleep 8; echo later'); " +
      `systemctl restart teleportd; teleport logs -f $id; teleport rm $id; ls ${DATA}/output | grep -c $id; ` +
      "teleport stop $(teleport run -d sleep 1009)",
  );
  report.finding(
    "output of before and after can be read and removed, across a restart, and jobs can be stopped",
    /earlier output[^]*later[^]*^0$[^]*KILLED/m.test(output.text),
    before.text + output.text,
  );
  const tried = await machine.run(
    FORBIDDEN.map((command) => `teleport run -- sh -c '${command}' >/dev/null 2>&1 && echo 'allowed: ${command}'`)
      .join("\n") + "\ntrue",
  );
  report.finding(
    "a job cannot read or signal what belongs to the server",
    tried.text === "",
    tried.text || "all refused",
  );
  const modes = await machine.run(`cd ${DATA} && stat -c '%a %U:%G %n' . hosts hosts/* hosts/*/socket output`);
  report.finding(
    "nobody else can enter the directories",
    modes.text.split("\n").filter((line) => line !== "").every((line) => /^\d\d0 /.test(line)),
    modes.text,
  );
}
