/** Runs the conformance tests against a job host in this process. */
import { join } from "node:path";
import { JobHost } from "../../../worker/host/job_host.ts";
import { testConformance } from "./conformance.ts";

testConformance({
  name: "in process",
  start: (directory) => {
    const host = new JobHost({
      outputDirectory: join(directory, "output"),
      hostsDirectory: join(directory, "hosts"),
      instance: crypto.getRandomValues(new Uint8Array(8)).toHex(),
      version: "1.2.3",
      cgroupText: "no cgroups",
    });
    return Promise.resolve({
      connect: () => Promise.resolve(host),
      [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
    });
  },
});
