/**
 * A program of watchers that stop reading. Each opens the output of a job on its own connection and reads one message.
 * When all have read it, the program prints "watching". Arguments: address, directory of certificates, job id, number of
 * watchers.
 */
import { connect } from "../rpc/client/client.ts";

const [address = "", certs = ".", id = "", count = "0"] = Deno.args;
const read = (name: string) => Deno.readTextFileSync(`${certs}/${name}`);
const credentials = { ca: read("ca.crt"), cert: read("admin.crt"), key: read("admin.key") };

const watches = Array.from({ length: Number(count) }, () => {
  const { calls } = connect({ address, credentials });
  return calls.GetOutput({ id })[Symbol.asyncIterator]();
});
await Promise.all(watches.map((watch) => watch.next()));
console.error("watching");
// The handler refers to the watches. Otherwise the garbage collector would end them.
Deno.addSignalListener("SIGTERM", () => Deno.exit(watches.length > 0 ? 0 : 1));
