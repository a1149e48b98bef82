/**
 * A program of watchers that read nothing: each opens the output of a job, takes its first message and then no more.
 * Says "watching" when all have. Arguments: address, directory of certificates, job, how many watchers; each has a
 * connection of its own.
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
// Held, or the garbage collector would end them.
Deno.addSignalListener("SIGTERM", () => Deno.exit(watches.length > 0 ? 0 : 1));
