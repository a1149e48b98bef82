/**
 * Makes one call with grpc-js over mTLS, and exits. No client on Deno that uses grpc-js can start faster.
 *
 * The arguments are the address of a server and a directory that "deno task certs init" has made.
 */
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { createSecureContext } from "node:tls";

const [address = "", dir = ""] = Deno.args;
const file = (name: string) => Deno.readTextFileSync(`${dir}/${name}`);
const keys = { ca: file("ca.crt"), cert: file("admin.crt"), key: file("admin.key") };
const options = { rejectUnauthorized: false, checkServerIdentity: () => undefined };
const channel = credentials.createFromSecureContext(createSecureContext(keys), options);
const client = new Client(address, channel, { "grpc.ssl_target_name_override": "teleport.invalid" });
const same = (bytes: Buffer) => bytes;
const path = "/grpc.health.v1.Health/Check";
client.makeUnaryRequest(path, same, same, Buffer.alloc(0), new Metadata(), (error) => Deno.exit(error ? 1 : 0));
