/** Kills servers and job hosts under load: a few rounds of each kind. `deno task kills` runs hundreds. */
import { Random, seedFor } from "../support/random.ts";
import { runRounds } from "./rounds.ts";
import type { Victim } from "./victims.ts";

/** The rounds of each kind. */
const ROUNDS: Readonly<Record<Victim, number>> = { server: 4, host: 1, both: 1, starting: 8, idle: 3 };

const WHAT: Readonly<Record<Victim, string>> = {
  server: "no job notices kill -9 of its server, no byte is lost, and every end is exact",
  host: "jobs are lost when their job host is killed, and no process of them is left",
  both: "jobs are lost when server and job host are killed together, and no process of them is left",
  starting: "no job notices a server that is killed again and again in its start",
  idle: "short jobs end exactly although their job host ends while the next server comes",
};

for (const victim of Object.keys(ROUNDS) as Victim[]) {
  Deno.test(`${WHAT[victim]} (${ROUNDS[victim]} rounds)`, async () => {
    await runRounds({ victim, rounds: ROUNDS[victim], random: new Random(seedFor("host_kills_test")) });
  });
}
