/** The same calls by a client and to a server made with grpc-go: bench/peer/, which is built where Go is installed. */
import { type Finding, skipped } from "./finding.ts";
import { startProgram } from "./program.ts";
import { connectTo, registerBytes, runToEnd, type Stage, startBare, startTeleportd } from "./stage.ts";
import { median } from "./statistics.ts";

const WHAT = { what: "a grpc-go client against teleportd and others", budget: "" };
const BYTES = 268_435_456;

const SOURCE = new URL("peer/", import.meta.url).pathname;

/** The numbers of the client by name. It prints a name and a number a line. */
type Numbers = ReadonlyMap<string, number>;

async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args], cwd, stdin: "null" }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim().split("\n").at(-1));
  return new TextDecoder().decode(stdout);
}

/** Builds the peer into the directory of the stage, and returns the path of the program. */
async function build(stage: Stage): Promise<string> {
  const program = `${stage.dir}/peer`;
  await run("go", ["build", "-o", program, "."], SOURCE);
  return program;
}

/** Compares servers as a grpc-go client sees them. */
export async function measureGoPeer(stage: Stage): Promise<Finding[]> {
  if (stage.quick) return [skipped(WHAT, "to build bench/peer takes longer than a quick run")];
  let peer: string;
  try {
    peer = await build(stage);
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound ? "Go is not installed" : `${error}`;
    return [skipped(WHAT, `bench/peer cannot be built: ${reason}`)];
  }
  await using teleportd = await startTeleportd(stage);
  await using client = connectTo(stage, teleportd);
  await using bare = await startBare(stage);
  const listen = ["server", "-listen", "127.0.0.1:0", "-certs", stage.certs, "-chunk", "65536"];
  await using go = await startProgram(peer, listen, /^listening on (.*)$/m);
  const id = await registerBytes(client, BYTES);
  await runToEnd(client, id);

  const servers = [
    { name: "teleportd", address: teleportd.address, id },
    { name: "bare grpc-js", address: bare.address, id: String(BYTES) },
    { name: "grpc-go", address: go.ready[1] ?? "", id: String(BYTES) },
  ];
  const found = new Map(servers.map(({ name }) => [name, [] as Numbers[]]));
  for (let round = 0; round < 3; round++) {
    for (const { name, address, id } of servers) {
      const target = ["-address", address.replace("127.0.0.1", "localhost"), "-certs", stage.certs, "-id", id];
      const text = await run(peer, ["client", ...target, "-calls", "1000"], stage.dir);
      const lines = text.trim().split("\n").map((line) => line.split(" "));
      found.get(name)?.push(new Map(lines.map(([key = "", value]) => [key, Number(value)])));
    }
  }
  const of = (name: string, key: string) => median((found.get(name) ?? []).map((numbers) => numbers.get(key) ?? NaN));
  const lines = ([
    ["output_mb_per_s", "output of a finished job, MB/s"],
    ["status_per_s", "status calls a second, one at a time"],
    ["status_concurrent_per_s", "status calls a second, 100 at a time"],
  ] as const).map(([key, what]) => ({
    what: `grpc-go client: ${what}`,
    budget: "",
    measured: of("teleportd", key).toFixed(0),
    notes: [`bare grpc-js ${of("bare grpc-js", key).toFixed(0)}, grpc-go ${of("grpc-go", key).toFixed(0)}`],
  }));
  return lines;
}
