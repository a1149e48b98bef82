/** One policy for tests, and requests that it decides. */
import type { JobRequest } from "../../../proto/teleport/v1/job_worker.ts";
import { methods } from "../../../rpc/shared/definition.ts";
import { parsePolicy } from "../../../service/policy/file.ts";
import { decideRegister, type Policy } from "../../../service/policy/policy.ts";

/** Returns a request with every field. */
export function request(fields: object): JobRequest {
  const { requestDeserialize, requestSerialize } = methods.Register;
  return requestDeserialize(requestSerialize(fields)) as unknown as JobRequest;
}

/** A policy with every kind of rule. */
export const POLICY = parsePolicy(JSON.stringify({
  roles: {
    builder: [
      {
        calls: ["all"],
        jobs: "own",
        commands: [
          { path: "/usr/bin/make", args: ["-j[0-9]+", "[a-z]+", "..."], env: ["CC"], cwd: "/srv/[a-z]+" },
          { path: "/usr/bin/make", args: ["all"] },
          { path: "/bin/true" },
          { path: "/bin/any", args: "any", cwd: "/srv/.*" },
        ],
        users: ["build"],
      },
      { calls: ["read"], jobs: { labels: { team: "web" } } },
    ],
    deployer: [{ calls: ["change", "Status"], jobs: "own", templates: ["deploy"], comment: "nothing else" }],
    watcher: [{ calls: ["List", "Status"], jobs: { labels: { team: "web", public: "yes" } } }],
    labeller: [{ calls: ["Register"], jobs: { labels: { team: "web" } } }],
    empty: [],
  },
  templates: {
    deploy: {
      command: "/usr/bin/deploy",
      args: ["--to={where}", "{{literal}}", "{count}", "{version}"],
      env: { MODE: "m-{where}" },
      cwd: "/srv",
      parameters: {
        where: { enum: ["staging", "production"] },
        count: { int: { min: -1, max: 9 }, default: "1" },
        version: { pattern: "v[0-9.]+|latest" },
      },
    },
  },
}));

/** Returns a caller with roles. */
export const as = (...roles: string[]) => ({ user: "ann", roles });

/** Whether a policy lets a caller register this. */
export function allows(policy: Policy, roles: string[], fields: object): boolean {
  return decideRegister(policy, as(...roles), request(fields)).allowed;
}
