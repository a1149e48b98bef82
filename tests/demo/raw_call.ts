/** A gRPC call with `fetch`, because the command line has no way to call without a certificate. */

/**
 * Calls the server. Returns whether it answers.
 *
 * @param certs the directory of the certificates
 * @param user the user whose certificate the call has; undefined: none
 */
export async function callIsAnswered(address: string, certs: string, user: string | undefined): Promise<boolean> {
  const read = (name: string) => Deno.readTextFile(`${certs}/${name}`);
  const identity = user === undefined ? {} : { cert: await read(`${user}.crt`), key: await read(`${user}.key`) };
  using client = Deno.createHttpClient({ caCerts: [await read("ca.crt")], ...identity });
  try {
    const response = await fetch(`https://${address}/teleport.v1.JobWorker/List`, {
      client,
      method: "POST",
      headers: { "content-type": "application/grpc", "te": "trailers" },
      body: new Uint8Array(5), // A gRPC frame with an empty message: not compressed, length 0.
    });
    const answer = await response.bytes();
    // An answer is a gRPC frame of at least five bytes. A refused call has a status and no frame.
    return response.status === 200 && answer.length >= 5;
  } catch (error) {
    if (error instanceof TypeError) return false; // fetch() reports a connection without an answer like this.
    throw error;
  }
}
