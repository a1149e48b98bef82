/** A step that several demos have: a job counts while the server is killed and the next one starts. */
import type { Stage } from "./stage.ts";

/** A job that counts until a signal ends it. Some shells report a sleep that the signal ends as soon as it is forked. */
const COUNTER = `trap "exit 0" USR1
exec 2>/dev/null
n=0
while :; do n=$((n + 1)); echo $n; (trap "" USR1; exec sleep 0.1); done`;

/** A job that counts. */
export interface CountingJob {
  readonly id: string;
  /** Waits until the watcher has seen a number. */
  seen(count: number): Promise<void>;
  /** Ends the job, and fails if the watcher has missed a number, or the job was started again. */
  end(): Promise<void>;
}

/** Starts a job that counts, kills the server, and starts the next one. */
export async function killServerWhileCounting(stage: Stage): Promise<CountingJob> {
  const id = await stage.teleport("run", "-d", "--", "sh", "-c", COUNTER);
  const counting = stage.follow("admin", id);
  await counting.seen(["1", "2", "3"]);
  const pid = await stage.pidOf(id);
  await stage.killServer();
  stage.print(`No server runs. The job counts on, in process ${pid}.`);
  await stage.startServer();
  return {
    id,
    seen: (count) => counting.seen([`${count}`]),
    async end() {
      await stage.teleport("signal", id, "SIGUSR1");
      const last = await counting.endedCounting();
      const again = await stage.pidOf(id);
      stage.expect(again === pid, `The job is still process ${pid}, not ${again}`);
      stage.print(`The watcher has seen every number from 1 to ${last}, each once. The job did not notice.`);
    },
  };
}
