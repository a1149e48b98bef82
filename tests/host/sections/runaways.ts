/** Rounds of all programs that try to outlive their job, as jobs of the installed service. */
import type { Machine } from "../machine.ts";
import type { Report } from "../report.ts";
import { changeUnit, RESTORE_UNITS, START, STOP, UNTIL_SERVING } from "../scripts.ts";

const SOURCE = new URL("../guest/runaway.c", import.meta.url).pathname;
const ROUNDS = "tests/host/guest/runaway_rounds.ts";
/** A server that waits for its turn on the emulated processor does not hang. */
const PATIENT = "[Service]\nWatchdogSec=10min";

/** Runs the rounds in the machine. Building the disk has installed the compiler. */
export async function checkRunaways(machine: Machine, report: Report, rounds: number): Promise<void> {
  const program = await Deno.makeTempFile({ prefix: "teleport-test-host-" });
  try {
    const args = ["-O2", "-static", "-pthread", "-o", program, SOURCE];
    const { success, stderr } = await new Deno.Command("cc", { args }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    await machine.put(program, "/usr/local/bin/runaway");
  } finally {
    await Deno.remove(program);
  }
  await machine.must(
    "restart the service",
    `chmod 755 /usr/local/bin/runaway\n${changeUnit(PATIENT)}${STOP}; ${START}; ${UNTIL_SERVING}`,
  );
  const { code, text } = await machine.run(
    "cd /srv/teleport && DENO_DIR=/usr/local/lib/standin/deno_dir NO_COLOR=1 " +
      `deno run -A --cached-only --no-check ${ROUNDS} ${rounds} 2>&1`,
  );
  const saw = text.trim().split("\n").filter((line) => !line.startsWith("round "));
  report.finding(`${rounds} rounds of runaway programs leave nothing`, code === 0, saw.slice(-20).join("\n"));
  await machine.must("give the units their own watchdog again", RESTORE_UNITS);
}
