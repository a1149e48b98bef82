/** Programs on a terminal of their own, with key presses and a hang-up. It needs python3. */
import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";

const ON_TERMINAL = new URL("testdata/on_terminal.py", import.meta.url).pathname;

/** The reason why there can be no terminal here, or undefined. */
export const noTerminal: string | undefined = await (async () => {
  try {
    const { success } = await new Deno.Command("python3", { args: ["-c", "import pty"], stderr: "null" }).output();
    return success ? undefined : "python3 has no pty";
  } catch {
    return "there is no python3";
  }
})();

/** A program on a terminal. */
export interface OnTerminal {
  /** Resolves once the terminal has shown the text. */
  shown(text: string): Promise<void>;
  press(key: keyof typeof KEYS): Promise<void>;
  /** Presses the keys of a text, such as a tab. */
  type(text: string): Promise<void>;
  /** Changes the size, as the window of a terminal does. */
  resize(columns: number, rows: number): Promise<void>;
  /** Signals the program alone. */
  signal(name: Deno.Signal): Promise<void>;
  /** Closes the terminal. */
  hangUp(): Promise<void>;
  /** Everything that the terminal has shown. */
  readonly text: string;
  /** `mode` is `raw` when the program did not restore the terminal, and undefined after a hang-up. */
  readonly ended: Promise<
    { readonly code: number; readonly text: string; readonly mode: "line" | "raw" | undefined }
  >;
}

const KEYS = {
  "ctrl-c": "03",
  "ctrl-p": "10",
  "ctrl-q": "11",
  "ctrl-z": "1a",
  "ctrl-backslash": "1c",
  escape: "1b",
  enter: "0d",
} as const;

/** Starts a program on a terminal of its own. */
export function onTerminal(
  argv: readonly string[],
  options: { readonly cwd: string; readonly env: Record<string, string> },
): OnTerminal {
  const child = new Deno.Command("python3", {
    args: [ON_TERMINAL, ...argv],
    ...options,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const orders = child.stdin.getWriter();
  const order = (text: string) => orders.write(new TextEncoder().encode(`${text}\n`));
  let text = "";
  let look = () => {};
  const reading = (async () => {
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      look();
    }
    look();
  })();
  const said = new Response(child.stderr).text();
  const ended = (async () => {
    await Promise.all([reading, child.status]);
    await orders.close().catch(() => {});
    const code = /^exit (-?\d+)$/m.exec(await said)?.[1];
    const mode = /^mode (line|raw)$/m.exec(await said)?.[1] as "line" | "raw" | undefined;
    assert.ok(code !== undefined, `The terminal failed: ${await said}`);
    return { code: Number(code), text, mode };
  })();
  // The caller that awaits it sees the error.
  ended.catch(() => {});
  return {
    shown: (wanted) =>
      deadline(
        new Promise((resolve, reject) => {
          look = () => {
            if (text.includes(wanted)) resolve();
          };
          look();
          reading.then(() =>
            reject(new Error(`The program ended before it showed ${JSON.stringify(wanted)}: ${text}`))
          );
        }),
      ),
    press: (key) => order(`key ${KEYS[key]}`),
    type: (text) => order(`key ${new TextEncoder().encode(text).toHex()}`),
    resize: (columns, rows) => order(`size ${columns} ${rows}`),
    signal: (name) => order(`signal ${name}`),
    get text() {
      return text;
    },
    hangUp: () => order("hangup"),
    ended,
  };
}
