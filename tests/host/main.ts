/**
 * Tries on a real Debian host in a virtual machine what this machine cannot show, and says for each promise what was seen:
 * `deno task test:host`.
 */
import { Machine } from "./machine.ts";
import { Report } from "./report.ts";
import { checkCgroups } from "./sections/cgroups.ts";
import { checkFaults } from "./sections/faults.ts";
import { checkImage } from "./sections/image.ts";
import { checkOutlive } from "./sections/outlive.ts";
import { checkRunaways } from "./sections/runaways.ts";
import { checkService, installService } from "./sections/service.ts";
import { checkTwoUsers } from "./sections/two_users.ts";
import { checkStarts } from "./sections/starts.ts";
import { refuseOptions, taskOptions } from "../support/task_options.ts";

const REPOSITORY = new URL("../../", import.meta.url).pathname;
const HELP = `Usage: deno task test:host [OPTIONS] [SECTION...]

Runs the sections service, outlive, cgroups, starts, image, faults and users, or the named ones, on Debian in a virtual
machine. The disk of the machine is kept in TELEPORT_HOST_DIR, by default ~/.cache/teleport-host.

  --short            only service, outlive and cgroups, in 10 minutes; skips where the machine cannot be brought up
  --runaways COUNT   rounds of runaway programs in place of the sections: 50 take half an hour
  --help             print this`;

const { values, positionals } = taskOptions(Deno.args, HELP, {
  allowPositionals: true,
  options: { short: { type: "boolean", default: false }, runaways: { type: "string", default: "0" } },
});
const isShort = values.short;
const rounds = Number(values.runaways);

/** The sections in their order. */
const SECTIONS: Readonly<Record<string, (machine: Machine, report: Report) => Promise<void>>> = {
  service: (machine, report) => checkService(machine, report, isShort),
  outlive: (machine, report) => checkOutlive(machine, report, isShort),
  cgroups: async (machine, report) => {
    await checkCgroups(machine, report, { user: "teleport", withTests: !isShort });
    if (!isShort) await checkCgroups(machine, report, { user: "root", withTests: true });
  },
  starts: checkStarts,
  image: checkImage,
  faults: checkFaults,
  users: checkTwoUsers,
  runaways: (machine, report) => checkRunaways(machine, report, rounds),
};

const unknown = positionals.find((name) => !Object.hasOwn(SECTIONS, name));
if (unknown !== undefined) refuseOptions(`Unknown section '${unknown}'`, HELP);
if (!/^\d+$/.test(values.runaways)) refuseOptions(`'--runaways' must be a number, got '${values.runaways}'`, HELP);

/** Returns why this machine cannot run the host. Undefined when it can. */
function whyNot(): string | undefined {
  if (Deno.build.arch !== "x86_64") return "the machine is emulated for x86_64 only";
  if (Deno.uid() !== 0) return "building the disk needs root";
  const { success } = new Deno.Command("sh", { args: ["-c", "command -v apt-get"], stdout: "null" }).outputSync();
  return success ? undefined : "building the disk needs apt";
}

/** Returns the names of the sections to run. */
function chosenSections(): string[] {
  if (rounds > 0) return ["runaways"];
  if (isShort) return ["service", "outlive", "cgroups"];
  return positionals.length > 0 ? positionals : ["service", "outlive", "cgroups", "starts", "image", "faults", "users"];
}

/** Puts there what the guest needs, because it reaches no network: the runtime, its cache and this repository. */
async function furnish(machine: Machine): Promise<void> {
  const place = await Deno.makeTempDir({ prefix: "teleport-test-host-" });
  try {
    const script = 'cd "$1" && DENO_DIR="$2/deno" "$3" install -q --frozen && ' +
      'DENO_DIR="$2/deno" "$3" cache -q server.ts cli.ts certs.ts $(git ls-files "tests/worker/*_test.ts") && ' +
      // It also fetches the bundler, which the upgrade and the build of the image need.
      'DENO_DIR="$2/deno" "$3" task -q bundle && tar -C "$2/deno" -czf "$2/cache.tgz" . && ' +
      '{ git ls-files -co --exclude-standard; find dist/server dist/client -type f; } | tar -czf "$2/tree.tgz" -T -';
    const { success, stderr } = await new Deno.Command("sh", {
      args: ["-c", script, "sh", REPOSITORY, place, Deno.execPath()],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    await machine.put(Deno.execPath(), "/root/deno");
    await machine.put(`${place}/cache.tgz`, "/root/cache.tgz");
    await machine.put(`${place}/tree.tgz`, "/root/tree.tgz");
  } finally {
    await Deno.remove(place, { recursive: true });
  }
  await machine.must(
    "unpack it",
    "mkdir -p /srv/teleport && tar -xzf /root/tree.tgz -C /srv/teleport && sh /srv/teleport/tests/host/guest/setup.sh",
  );
}

const reason = whyNot();
if (reason !== undefined) {
  console.log(`host: skipped, ${reason}`);
  Deno.exit(0);
}
const chosen = chosenSections();
const directory = Deno.env.get("TELEPORT_HOST_DIR") ?? `${Deno.env.get("HOME")}/.cache/teleport-host`;
const report = new Report();
{
  await using machine = await Machine.boot(directory).catch((error: Error) => {
    if (!isShort) throw error;
    console.log(`host: skipped, ${error.message}`);
    Deno.exit(0);
  });
  await furnish(machine);
  await installService(machine, report);
  for (const name of chosen) {
    console.log(`=== ${name}`);
    await SECTIONS[name]!(machine, report).catch((error: Error) =>
      report.finding(`the section ${name} runs to its end`, false, error.message)
    );
  }
}
console.log(report.summary);
Deno.exit(report.isClean ? 0 : 1);
