/**
 * Profiles of the transfers that are compared with ssh, and of `teleport run true`, as text. V8's profiler counts what
 * JavaScript does. Its "program" is code of the runtime outside of JavaScript, such as TLS.
 */
import { clientEnvironment, SOURCES } from "./client_program.ts";
import { circumstances } from "./report.ts";
import { runClients } from "./ssh/clients.ts";
import { checked } from "./shell.ts";
import { connectTo, runToEnd, type Stage, startTeleportd } from "./stage.ts";

/** The part of a `.cpuprofile` that is read. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  /** Microseconds from the sample before. */
  readonly timeDeltas: readonly number[];
}

/** The functions that a text lists. */
const LINES = 25;

const ROOT = new URL("../", import.meta.url).href;

/** Returns the place of a function without the directories of this machine. */
function placeOf(url: string, line: number): string {
  if (url === "") return "";
  const path = url.startsWith(ROOT)
    ? url.slice(ROOT.length)
    : url.replace(/^file:.*\/npm\/[^/]+\//, "npm:").replace(/^file:.*\//, "");
  return `${path}:${line + 1}`;
}

/** Returns the functions of a profile by the time that they themselves took, as text. */
export function profileText(profile: CpuProfile): string {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  const times = new Map<string, number>();
  for (const [index, id] of profile.samples.entries()) {
    const { functionName = "", url = "", lineNumber = 0 } = nodes.get(id) ?? {};
    const name = `${functionName || "(anonymous)"} ${placeOf(url, lineNumber)}`.trim();
    times.set(name, (times.get(name) ?? 0) + Math.max(0, profile.timeDeltas[index] ?? 0));
  }
  const idle = times.get("(idle)") ?? 0;
  const total = [...times.values()].reduce((sum, time) => sum + time, 0);
  const busy = total - idle;
  const ms = (time: number) => (time / 1e3).toFixed(0);
  const lines = [...times].filter(([name]) => name !== "(idle)").sort(([, one], [, other]) => other - one)
    .slice(0, LINES)
    .map(([name, time]) => `${(time / busy * 100).toFixed(1).padStart(5)}% ${ms(time).padStart(6)} ms  ${name}`);
  return [`${ms(busy)} ms busy, ${ms(idle)} ms idle`, ...lines].join("\n");
}

/** Reads the profiles that programs have written into a directory, and deletes them. The longest is the first. */
async function profilesIn(dir: string): Promise<CpuProfile[]> {
  const found: CpuProfile[] = [];
  for await (const { name } of Deno.readDir(dir)) {
    const path = `${dir}/${name}`;
    found.push(JSON.parse(await Deno.readTextFile(path)));
    await Deno.remove(path);
  }
  // The client makes random numbers on a thread of its own, which writes a profile too.
  return found.sort((one, other) => other.samples.length - one.samples.length);
}

/** A job host has this function, and no server has it. */
const isJobHost = ({ nodes }: CpuProfile) => nodes.some(({ callFrame }) => callFrame.url.endsWith("/run_host.ts"));

/** Runs a command of the client once. Returns the profiles of all processes as one text. */
async function profileOne(stage: Stage, kind: string, file: string): Promise<string> {
  const dir = await Deno.makeTempDir({ dir: stage.dir, prefix: "profiles_" });
  const options = [`--cpu-prof-dir=${dir}`];
  const clientDir = `${dir}/client`;
  await Deno.mkdir(clientDir);
  const clientProfile: CpuProfile[] = [];
  {
    await using teleportd = await startTeleportd(stage, { denoOptions: options });
    await using client = connectTo(stage, teleportd);
    const { id } = await client.calls.Register({ command: "cat", args: [file] });
    if (kind === "finished") await runToEnd(client, id);
    const args: Record<string, string[]> = {
      finished: ["logs", id],
      live: ["run", "cat", file],
      input: ["run", "-i", "sh", "-c", "cat >/dev/null"],
      run_true: ["run", "true"],
    };
    const words = SOURCES.command(args[kind] ?? [], [`--cpu-prof-dir=${clientDir}`]);
    const env = clientEnvironment(stage, teleportd);
    await runClients([{ words, env, ...(kind === "input" ? { input: file } : {}) }]);
    clientProfile.push(...await profilesIn(clientDir));
    await Deno.remove(clientDir);
  }
  const servers = await profilesIn(dir);
  const parts: [string, CpuProfile | undefined][] = [
    ["client", clientProfile[0]],
    ["server", servers.find((profile) => !isJobHost(profile))],
    ["job host", servers.find(isJobHost)],
  ];
  return parts.map(([name, profile]) =>
    `## ${name}\n\n${profile === undefined ? "No profile was written." : profileText(profile)}`
  ).join("\n\n");
}

/** Writes one text for each kind into a directory, and returns the paths. */
export async function writeProfiles(stage: Stage, target: string): Promise<string[]> {
  const bytes = stage.quick ? 64_000_000 : 1_024_000_000;
  const file = `${stage.dir}/profiled`;
  await checked("sh", ["-c", `head -c ${bytes} /dev/urandom >"$1"`, "sh", file]);
  await Deno.mkdir(target, { recursive: true });
  const written: string[] = [];
  for (const kind of ["finished", "live", "input", "run_true"]) {
    const text = await profileOne(stage, kind, file);
    const about = await circumstances(stage.quick);
    const what = kind === "run_true" ? "one `teleport run true`" : `${bytes / 1e6} MB, ${kind}`;
    const head = `Written by \`deno task bench --profile\`: ${what}. Shares are of the busy time of each process.`;
    const path = `${target}/${kind}.txt`;
    await Deno.writeTextFile(path, `${head}\n${about.join("\n")}\n\n${text}\n`);
    written.push(path);
  }
  return written;
}
