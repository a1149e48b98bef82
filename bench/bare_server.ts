/**
 * The server for comparison: grpc-js alone on Deno, with the same certificates. Its GetOutput sends bytes from memory, in
 * messages as long as those of teleportd. The job's id is the number of bytes. Argument: the directory of certificates.
 */
import "../rpc/compat/http2_guard.ts"; // Without it, the first client that closes would end this server.
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { Buffer } from "node:buffer";

/** The size of the longest frame of a log, which teleportd sends in one message. */
const MESSAGE_BYTES = 65_536;

const [certs = "."] = Deno.args;
const read = (name: string) => Buffer.from(Deno.readFileSync(`${certs}/${name}`));
const proto = new URL("../proto/teleport/v1/job_worker.proto", import.meta.url).pathname;
const methods = loadSync(proto, { keepCase: true })["teleport.v1.JobWorker"] as grpc.ServiceDefinition;

type OutputCall = grpc.ServerWritableStream<{ id: string }, object>;

const data = new Uint8Array(MESSAGE_BYTES);

function getOutput(call: OutputCall): void {
  const total = Number(call.request.id);
  let sent = 0;
  const send = () => {
    while (sent < total) {
      const size = Math.min(total - sent, MESSAGE_BYTES);
      const message = {
        data: data.subarray(0, size),
        stream: 1,
        offset: sent,
        cursor: "0123456789abcdefghijklmnopqrstuv",
      };
      sent += size;
      if (!call.write(message)) return void call.once("drain", send);
    }
    call.end();
  };
  send();
}

function status(_call: unknown, respond: grpc.sendUnaryData<object>): void {
  respond(null, { id: "bare" });
}

const server = new grpc.Server();
server.addService(methods, { GetOutput: getOutput, Status: status });
const pair = { private_key: read("server.key"), cert_chain: read("server.crt") };
const credentials = grpc.ServerCredentials.createSsl(read("ca.crt"), [pair], true);
server.bindAsync("127.0.0.1:0", credentials, (error, port) => {
  if (error) throw error;
  console.error(`listening on 127.0.0.1:${port}`);
});
