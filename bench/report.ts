/** The report of a run: lines for the terminal, and all results as Markdown. */
import { type Finding, verdict } from "./finding.ts";

/** A finding as lines of text. */
export function lines(finding: Finding): string[] {
  const { what, budget, measured, notes } = finding;
  const numbers = [measured, budget === "" ? "" : `budget ${budget}`].filter((part) => part !== "").join("; ");
  return [`${verdict(finding).padEnd(4)}  ${what}: ${numbers}`, ...notes.map((note) => `        ${note}`)];
}

async function firstLineOf(command: string, ...args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await new Deno.Command(command, { args }).output();
    return new TextDecoder().decode(stdout.length > 0 ? stdout : stderr).split("\n", 1)[0] ?? "";
  } catch {
    return "not installed";
  }
}

/** Returns the facts that the numbers depend on, one per line. */
export async function circumstances(quick: boolean): Promise<string[]> {
  const model = /^model name\s*: (.*)$/m.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1] ?? "unknown processor";
  const config = await Deno.readTextFile(new URL("../deno.json", import.meta.url));
  const grpc = /npm:(@grpc\/grpc-js@[^"]+)/.exec(config)?.[1] ?? "@grpc/grpc-js";
  const gib = Deno.systemMemoryInfo().total / 2 ** 30;
  const [load = NaN] = Deno.loadavg();
  return [
    `${new Date().toISOString().slice(0, 10)}, ${quick ? "quick run: short rounds, rough numbers" : "full run"}`,
    `${navigator.hardwareConcurrency} cores of ${model}, ${gib.toFixed(0)} GiB, Linux ${Deno.osRelease()}, ` +
    `load ${load.toFixed(1)} at the end`,
    `Deno ${Deno.version.deno}, V8 ${Deno.version.v8}, ${grpc}`,
    `${await firstLineOf("ssh", "-V")}; ${await firstLineOf("go", "version")}`,
  ];
}

/**
 * Returns the report as Markdown.
 *
 * @param bounds the known reasons for the numbers, as Markdown
 */
export function markdown(findings: readonly Finding[], about: readonly string[], bounds: string): string {
  const rows = findings.map((finding) =>
    `| ${finding.what} | ${finding.budget} | ${finding.measured} | ${verdict(finding)} |`
  );
  const notes = findings.filter(({ notes }) => notes.length > 0).map(({ what, notes }) =>
    `- ${what}\n${notes.map((note) => `  - ${note}`).join("\n")}`
  );
  return [
    "# Results",
    "Written by `deno task bench`. Ratios are of medians of one run on one machine, measured alternately.",
    about.map((line) => `- ${line}`).join("\n"),
    ["| what | budget | measured | |", "| --- | --- | --- | --- |", ...rows].join("\n"),
    "## Details",
    notes.join("\n"),
    bounds.trim(),
  ].join("\n\n") + "\n";
}
