/** Badly behaved programs: each tells the processes it made, then stays or leaves; none may outlive its job. */

/** How a program of the zoo behaves. */
export interface Animal {
  readonly name: string;
  /**
   * Shell text that makes processes, each of which writes its pid as a line of its own once it is what it is to be.
   * `$DENO` is the runtime; `$DETACHED`, `$REGROUPED`, `$CHAIN` and `$HEADLESS` are programs of it, those below; `$NEXT` is a script.
   */
  readonly script: string;
  /** How many lines are written before it is complete. */
  readonly lines: number;
  /** What must be in the output at the end, where more than those lines. */
  readonly output?: RegExp;
  /** What the processes that told their pid have of their own, which the leader's are not. */
  readonly own?: "group" | "session";
  /** The first thread of those that told their pid ends. */
  readonly isHeadless?: boolean;
  /** A program that it needs, which not every machine has. */
  readonly needs?: string;
  /** Those that told their pid leave at once; others take their place. */
  readonly isShortLived?: boolean;
  /** Only run where the leader stays, or leaves. */
  readonly only?: "stays" | "leaves";
  /** How the leader stays, instead of by sleeping. */
  readonly stays?: string;
}

/** Starts its arguments as a program in a session of its own (setsid(2)) that keeps the output, and leaves. */
export const DETACHED = `
  const [command, ...args] = Deno.args;
  new Deno.Command(command, { args, detached: true, stdin: "null" }).spawn().unref();
`;

/** Starts its arguments as a program in a process group of its own, and leaves. A shell without a terminal cannot. */
export const REGROUPED = `
  const { symbols } = Deno.dlopen("libc.so.6", { setpgid: { parameters: ["i32", "i32"], result: "i32" } });
  if (symbols.setpgid(0, 0) !== 0) throw new Error("setpgid() failed");
  const [command, ...args] = Deno.args;
  new Deno.Command(command, { args, stdin: "null" }).spawn().unref();
`;

/**
 * Starts itself again so many times, each time leaving at once; the last sleeps. The runtime starts programs by
 * posix_spawn(3), which is vfork(2) beneath.
 */
export const CHAIN = `
  const left = Number(Deno.args[0]);
  const [command, args] = left > 0
    ? [Deno.execPath(), ["run", "-A", Deno.mainModule, String(left - 1)]]
    : ["sh", ["-c", "echo $$; exec sleep 1000"]];
  new Deno.Command(command, { args, stdin: "null" }).spawn().unref();
`;

/**
 * Tells its pid and ends its first thread alone, as pthread_exit(3) in main() does: the process lives on in the others. It
 * calls the kernel itself, for the C library would unwind the runtime.
 */
export const HEADLESS = `
  const exit = Deno.build.arch === "aarch64" ? 93n : 60n;
  const { symbols } = Deno.dlopen("libc.so.6", { syscall: { parameters: ["i64", "i64"], result: "i64" } });
  console.log(Deno.pid);
  symbols.syscall(exit, 0n);
`;

/** Writes its pid and sleeps. */
const SLEEPER = "sh -c 'echo $$; exec sleep 1000'";
/** As that, and hears nothing but SIGKILL and SIGSTOP. */
const DEAF = `sh -c 'trap "" HUP INT QUIT TERM USR1 USR2 ALRM PIPE; echo $$; exec sleep 1000'`;

/**
 * Starts itself anew in the background and leaves, a generation a millisecond; the tenth tells its pid. Bounded to some 20
 * s, for whoever runs this with an end that does not work.
 */
export const NEXT = `[ $1 -lt 20000 ] && sh -c "$NEXT" next $(($1 + 1)) &
  [ $1 -eq 10 ] && echo $$; exit 0`;

export const ZOO: readonly Animal[] = [
  { name: "leaves a child in the background", script: `${SLEEPER} &`, lines: 1 },
  { name: "forks twice, so that its child has no parent", script: `( ${SLEEPER} & ) & wait`, lines: 1 },
  {
    name: "makes a daemon: forked twice, in a session of its own",
    script: `( $DENO run -A $DETACHED ${SLEEPER} & ) & wait`,
    lines: 1,
    own: "session",
  },
  {
    name: "makes a daemon that hears nothing and does not let go of the output",
    script: `$DENO run -A $DETACHED ${DEAF}`,
    lines: 1,
    own: "session",
  },
  {
    name: "changes its process group",
    script: `$DENO run -A $REGROUPED ${SLEEPER}; $DENO run -A $REGROUPED ${DEAF}`,
    lines: 2,
    own: "group",
  },
  {
    name: "has a child whose first thread ends while others go on",
    script: "$DENO run -A $HEADLESS &",
    lines: 1,
    isHeadless: true,
  },
  {
    name: "makes a daemon whose first thread ends while others go on",
    script: "( $DENO run -A $DETACHED $DENO run -A $HEADLESS & ) & wait",
    lines: 1,
    own: "session",
    isHeadless: true,
  },
  {
    name: "ends its own first thread while others go on",
    script: "",
    lines: 1,
    only: "stays",
    stays: "exec $DENO run -A $HEADLESS",
    isHeadless: true,
  },
  {
    name: "makes a daemon that clears its environment",
    script: `( $DENO run -A $DETACHED env -i PATH=$PATH ${SLEEPER} & ) & wait`,
    lines: 1,
    own: "session",
  },
  {
    name: "makes a daemon that clears its environment, hears nothing and ends its first thread",
    script:
      `( $DENO run -A $DETACHED env -i HOME=$HOME sh -c 'trap "" TERM; exec "$@"' sh $DENO run -A $HEADLESS & ) & wait`,
    lines: 1,
    own: "session",
    isHeadless: true,
  },
  {
    // Of such, servers that show what they do in ps(1): the title takes the place of arguments and environment.
    name: "makes a daemon that writes its title over its environment",
    script: `( $DENO run -A $DETACHED perl -e '$| = 1; $0 = "daemon: idle"; print "$$\\n"; sleep 1000' & ) & wait`,
    lines: 1,
    own: "session",
    needs: "perl",
  },
  { name: "has children that hear nothing", script: `${DEAF} & ${DEAF} &`, lines: 2 },
  {
    name: "hears nothing itself",
    script: "trap '' HUP INT QUIT TERM USR1 USR2 ALRM PIPE; echo $$",
    lines: 1,
    only: "stays",
  },
  {
    name: "hears nothing and starts again whatever is ended",
    script: `trap '' TERM; echo $$`,
    lines: 1,
    only: "stays",
    stays: "while :; do sleep 1000; done",
  },
  {
    name: "has a child that stands still",
    script: `sh -c 'echo $$; kill -STOP $$; exec sleep 1000' &`,
    lines: 1,
  },
  { name: "stands still itself", script: "echo $$", lines: 1, only: "stays", stays: "kill -STOP $$; exec sleep 1000" },
  {
    name: "closes its output and runs on",
    script: "echo $$; exec >&- 2>&-",
    lines: 1,
    only: "stays",
  },
  {
    name: "has a child that writes when its parent is dead",
    script: `sh -c 'trap "echo late; exit" TERM; echo $$; while :; do sleep 0.01; done' &`,
    lines: 1,
    output: /^late$/m,
    only: "leaves",
  },
  {
    name: "has a child that clears its environment",
    script: `env -i PATH=$PATH ${SLEEPER} &`,
    lines: 1,
  },
  {
    name: "forks a hundred children",
    script: `i=0; while [ $i -lt 100 ]; do ${SLEEPER} & i=$((i + 1)); done`,
    lines: 100,
  },
  {
    name: "forks on and on, each generation leaving at once",
    script: 'sh -c "$NEXT" next 0',
    lines: 1,
    isShortLived: true,
  },
  {
    name: "forks on and on, each generation deaf and leaving at once",
    script: `trap '' TERM; sh -c "$NEXT" next 0`,
    lines: 1,
    isShortLived: true,
  },
  {
    // What is found in /proc is always the one before: only its tag tells whose the process group is.
    name: "forks on and on in a session of its own, deaf",
    script: `trap '' TERM; $DENO run -A $DETACHED sh -c "$NEXT" next 0`,
    lines: 1,
    isShortLived: true,
  },
  {
    name: "is a chain of ten, each waiting for the next",
    script: `link() { echo $(exec sh -c 'echo $PPID'); if [ $1 -gt 0 ]; then (link $(($1 - 1))); else sleep 1000; fi; }
      link 9 &`,
    lines: 10,
  },
  { name: "is a chain of vfork, each leaving at once", script: "$DENO run -A $CHAIN 3", lines: 1 },
];
