/** The door of the certificate tool: arguments and environment in, exit code out. */
import { main } from "./certs/main.ts";
import { readVariable } from "./text/decoded.ts";

// `deno task certs -- init` passes the two dashes on.
const args = Deno.args[0] === "--" ? Deno.args.slice(1) : Deno.args;
Deno.exitCode = await main(args, {
  stdout: Deno.stdout,
  stderr: Deno.stderr,
  readVariable: (name) => readVariable(Deno.env.get, name),
});
