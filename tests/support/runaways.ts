/** Runaway programs: each creates processes that try to outlive the job, prints their pids, then stays or exits. */

/** The behaviour of a runaway program. */
export interface Runaway {
  /** The predicate of a sentence about the job. */
  readonly name: string;
  /**
   * The shell script that creates the processes. Each prints its pid as a line once it is ready. `$DETACHED`,
   * `$REGROUPED`, `$CHAIN`, `$HEADLESS`, `$SLEEPER` and `$IGNORER` are commands of several words: the programs below, or
   * those of `tests/host/guest/runaway.c`. `$NEXT` is a shell script.
   */
  readonly script: string;
  /** The number of lines that it prints before it is complete. */
  readonly lines: number;
  /** A pattern in the output at the end, in addition to those lines. */
  readonly output?: RegExp;
  /** The group or session that the printed processes do not share with the leader. */
  readonly own?: "group" | "session";
  /** True if the first thread of the printed processes ends. */
  readonly isHeadless?: boolean;
  /** A program that it needs and that a host may lack. */
  readonly needs?: string;
  /** True if the printed processes exit at once and others replace them. */
  readonly isShortLived?: boolean;
  /** Set if it runs only with a leader that stays, or only with one that exits. */
  readonly only?: "stays" | "leaves";
  /** The commands of a leader that stays. Default: it sleeps. */
  readonly stays?: string;
}

/** Starts its arguments as a program in its own session (setsid(2)) that keeps the output, and exits. */
export const DETACHED = `
  const [command, ...args] = Deno.args;
  new Deno.Command(command, { args, detached: true, stdin: "null" }).spawn().unref();
`;

/** Starts its arguments as a program in its own process group, and exits. A shell without a terminal cannot do this. */
export const REGROUPED = `
  const { symbols } = Deno.dlopen("libc.so.6", { setpgid: { parameters: ["i32", "i32"], result: "i32" } });
  if (symbols.setpgid(0, 0) !== 0) throw new Error("setpgid() failed");
  const [command, ...args] = Deno.args;
  new Deno.Command(command, { args, stdin: "null" }).spawn().unref();
`;

/**
 * Starts itself again as often as its argument says, and exits each time. The last one sleeps. The runtime starts programs
 * by posix_spawn(3), which uses vfork(2).
 */
export const CHAIN = `
  const left = Number(Deno.args[0]);
  const [command, args] = left > 0
    ? [Deno.execPath(), ["run", "-A", Deno.mainModule, String(left - 1)]]
    : ["sh", ["-c", "echo $$; exec sleep 1000"]];
  new Deno.Command(command, { args, stdin: "null" }).spawn().unref();
`;

/**
 * Prints its pid and ends only its first thread, as pthread_exit(3) in main() does. The other threads continue. It calls
 * the kernel directly, because the C library would unwind the runtime.
 */
export const HEADLESS = `
  const exit = Deno.build.arch === "aarch64" ? 93n : 60n;
  const { symbols } = Deno.dlopen("libc.so.6", { syscall: { parameters: ["i64", "i64"], result: "i64" } });
  console.log(Deno.pid);
  symbols.syscall(exit, 0n);
`;

/** A shell script: prints its pid and sleeps. */
export const SLEEPER = "echo $$; exec sleep 1000";
/** A shell script: does the same, and ignores every signal except SIGKILL and SIGSTOP. */
export const IGNORER = `trap "" HUP INT QUIT TERM USR1 USR2 ALRM PIPE; ${SLEEPER}`;

/**
 * Starts itself again in the background and exits, about once a millisecond. The tenth prints its pid. It ends by itself
 * after some minutes, in case the job's end fails.
 */
export const NEXT = `[ $1 -lt 100000 ] && sh -c "$NEXT" next $(($1 + 1)) &
  [ $1 -eq 10 ] && echo $$; exit 0`;

export const RUNAWAYS: readonly Runaway[] = [
  { name: "leaves a child in the background", script: `$SLEEPER &`, lines: 1 },
  { name: "forks twice, so that its child has no parent", script: `( $SLEEPER & ) & wait`, lines: 1 },
  {
    name: "starts a daemon: forked twice, in its own session",
    script: `( $DETACHED $SLEEPER & ) & wait`,
    lines: 1,
    own: "session",
  },
  {
    name: "starts a daemon that ignores signals and keeps the output open",
    script: `$DETACHED $IGNORER`,
    lines: 1,
    own: "session",
  },
  {
    name: "changes its process group",
    script: `$REGROUPED $SLEEPER; $REGROUPED $IGNORER`,
    lines: 2,
    own: "group",
  },
  {
    name: "has a child whose first thread ends before others",
    script: "$HEADLESS &",
    lines: 1,
    isHeadless: true,
  },
  {
    name: "starts a daemon whose first thread ends before others",
    script: "( $DETACHED $HEADLESS & ) & wait",
    lines: 1,
    own: "session",
    isHeadless: true,
  },
  {
    name: "ends its own first thread before others",
    script: "",
    lines: 1,
    only: "stays",
    stays: "exec $HEADLESS",
    isHeadless: true,
  },
  {
    name: "starts a daemon that clears its environment",
    script: `( $DETACHED env -i PATH=$PATH $SLEEPER & ) & wait`,
    lines: 1,
    own: "session",
  },
  {
    name: "starts a daemon that clears its environment, ignores signals and ends its first thread",
    script: `( $DETACHED env -i HOME=$HOME sh -c 'trap "" TERM; exec "$@"' sh $HEADLESS & ) & wait`,
    lines: 1,
    own: "session",
    isHeadless: true,
  },
  {
    // Servers that show their state in ps(1) do this: the title replaces arguments and environment.
    name: "starts a daemon that writes its title over its environment",
    script: `( $DETACHED perl -e '$| = 1; $0 = "daemon: idle"; print "$$\\n"; sleep 1000' & ) & wait`,
    lines: 1,
    own: "session",
    needs: "perl",
  },
  { name: "has children that ignore signals", script: `$IGNORER & $IGNORER &`, lines: 2 },
  {
    name: "ignores signals itself",
    script: "trap '' HUP INT QUIT TERM USR1 USR2 ALRM PIPE; echo $$",
    lines: 1,
    only: "stays",
  },
  {
    name: "ignores signals and restarts its children",
    script: `trap '' TERM; echo $$`,
    lines: 1,
    only: "stays",
    stays: "while :; do sleep 1000; done",
  },
  {
    name: "has a stopped child",
    script: `sh -c 'echo $$; kill -STOP $$; exec sleep 1000' &`,
    lines: 1,
  },
  { name: "stops itself", script: "echo $$", lines: 1, only: "stays", stays: "kill -STOP $$; exec sleep 1000" },
  {
    name: "closes its output and continues",
    script: "echo $$; exec >&- 2>&-",
    lines: 1,
    only: "stays",
  },
  {
    name: "has a child that writes after the death of its parent",
    script: `sh -c 'trap "echo late; exit" TERM; echo $$; while :; do sleep 0.01; done' &`,
    lines: 1,
    output: /^late$/m,
    only: "leaves",
  },
  {
    name: "has a child that clears its environment",
    script: `env -i PATH=$PATH $SLEEPER &`,
    lines: 1,
  },
  {
    name: "forks a hundred children",
    script: `i=0; while [ $i -lt 100 ]; do $SLEEPER & i=$((i + 1)); done`,
    lines: 100,
  },
  {
    name: "forks forever, each generation exiting at once",
    script: 'sh -c "$NEXT" next 0',
    lines: 1,
    isShortLived: true,
  },
  {
    name: "forks forever, each generation ignoring SIGTERM and exiting at once",
    script: `trap '' TERM; sh -c "$NEXT" next 0`,
    lines: 1,
    isShortLived: true,
  },
  {
    // A scan of /proc always finds the previous generation. Only the tag identifies the process group.
    name: "forks forever in its own session, ignoring SIGTERM",
    script: `trap '' TERM; $DETACHED sh -c "$NEXT" next 0`,
    lines: 1,
    isShortLived: true,
  },
  {
    name: "is a chain of ten, each waiting for the next",
    script: `link() { echo $(exec sh -c 'echo $PPID'); if [ $1 -gt 0 ]; then (link $(($1 - 1))); else sleep 1000; fi; }
      link 9 &`,
    lines: 10,
  },
  { name: "is a chain of vfork, each exiting at once", script: "$CHAIN 3", lines: 1 },
];
