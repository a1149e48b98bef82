/** The number of connections of a server, by its descriptors and its flags. */
import assert from "node:assert/strict";
import { chooseConnections, maxDescriptors } from "../../teleportd/connection_options.ts";
import { parseFlags } from "../../teleportd/flags.ts";
import { StartError } from "../../teleportd/start_error.ts";

const flags = (...args: string[]) => parseFlags(args, "0.0.0", { stdout: () => {}, stderr: () => {} });

Deno.test("chooseConnections() leaves half of the descriptors to jobs", () => {
  for (
    const [descriptors, connections] of [[256, 96], [1_024, 480], [4_096, 2_016], [20_000, 3_000], [80, 16]] as const
  ) {
    const { options, text } = chooseConnections(flags(), descriptors);
    assert.equal(options.maxConnections, connections);
    assert.equal(text !== undefined, connections < 3_000, "it says so where the system is the limit");
  }
  assert.deepEqual(chooseConnections(flags(), Infinity).options, { maxConnections: 3_000 });
});

Deno.test("chooseConnections() uses the flags", () => {
  const given = flags(
    "--max-connections=200",
    "--max-handshakes=20",
    "--max-connections-per-user=5",
    "--max-connections-per-address=50",
  );
  const { options, text } = chooseConnections(given, 1_024);
  assert.deepEqual(options, {
    maxConnections: 200,
    maxHandshakes: 20,
    maxConnectionsPerUser: 5,
    maxConnectionsPerAddress: 50,
  });
  assert.equal(text, undefined);
});

Deno.test("chooseConnections() refuses more than the descriptors allow, and too few", () => {
  for (const count of ["897", "15"]) {
    assert.throws(() => chooseConnections(flags(`--max-connections=${count}`), 1_024), (error) => {
      assert.ok(error instanceof StartError);
      assert.match(
        error.message,
        /^'--max-connections' must be an integer from 16 to 896, got \d+: this process may open 1024/,
      );
      return true;
    });
  }
  assert.equal(chooseConnections(flags("--max-connections=896"), 1_024).options.maxConnections, 896);
});

Deno.test("maxDescriptors() returns the limit of this process", async () => {
  assert.ok(await maxDescriptors() >= 64);
});
