/** Damages the files that a server reads at its start besides its jobs. It uses them, or reports what is wrong. */
import { join } from "node:path";
import { CertificateError } from "../../certs/errors.ts";
import { initDirectory } from "../../certs/init.ts";
import { issueClient } from "../../certs/issue.ts";
import { revoke } from "../../certs/revoke.ts";
import { TeleportError } from "../../mod.ts";
import { TlsCredentialsError } from "../../rpc/shared/tls_credentials.ts";
import { AuditLog } from "../../service/audit/log.ts";
import { verifiedText, verifyAudit } from "../../service/audit/verify.ts";
import { PolicyError } from "../../service/errors.ts";
import { readReloadableConfig } from "../../teleportd/reloadable_config.ts";
import { RevocationMemory } from "../../teleportd/revocation_memory.ts";
import { StartError } from "../../teleportd/start_error.ts";
import { readLimits } from "../../teleportd/supervisor_options.ts";
import { assertRefusal, copyDirectory, damageFile, filesBelow } from "../support/damage.ts";
import { Random } from "../support/random.ts";

const POLICY = `{
  "comment": "A comment may stand in every object.",
  "roles": {
    "admin": [{ "calls": ["all"], "jobs": "all", "users": ["*"], "groups": ["*"], "options": ["*"] }],
    "builder": [{
      "calls": ["all"],
      "jobs": "own",
      "commands": [{ "path": "/usr/bin/make", "args": ["-j[0-9]{1,2}", "all|test", "..."], "cwd": "/srv/[a-z0-9-]+" }]
    }],
    "deployer": [{ "calls": ["all"], "jobs": { "labels": { "team": "web" } }, "templates": ["deploy"] }]
  },
  "templates": {
    "deploy": {
      "command": "/usr/local/bin/deploy",
      "args": ["--to={where}", "{version}"],
      "parameters": { "where": { "enum": ["staging", "production"] }, "version": { "pattern": "v[0-9]+\\\\.[0-9]+" } }
    }
  }
}
`;

const LIMITS =
  `{ "default": { "timeout": "1h", "ulimits": { "nofile": 1024 } }, "max": { "memory": "8G" }, "running": 9 }\n`;

/** The error classes whose text the server prints without a stack. */
const REFUSALS = [StartError, CertificateError, TlsCredentialsError, PolicyError, TeleportError];

/** The files of a server. */
export interface ServerFiles extends AsyncDisposable {
  readonly directory: string;
}

/** Makes certificates, a list of revoked ones, a policy, limits, and an audit log. */
export async function makeFiles(): Promise<ServerFiles> {
  const directory = await Deno.makeTempDir({ prefix: "teleport-torture-" });
  const whole = join(directory, "whole");
  const dir = join(whole, "certs");
  await initDirectory({ dir, hosts: ["localhost"] });
  await issueClient({ dir, name: "eve", roles: ["viewer"] });
  await revoke({ dir, name: "eve" });
  await Deno.writeTextFile(join(whole, "policy.json"), POLICY);
  await Deno.writeTextFile(join(whole, "limits.json"), LIMITS);
  {
    await using log = await AuditLog.open({ directory: join(whole, "audit") });
    for (let count = 0; count < 20; count++) log.record({ event: "call", user: "ann", call: "Status", code: "OK" });
  }
  await start(whole);
  return {
    directory,
    async [Symbol.asyncDispose]() {
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/** Reads all files as a server does at its start. */
async function start(directory: string): Promise<void> {
  const ignore = () => {};
  const log = { error: ignore, warn: ignore, info: ignore, debug: ignore };
  const memory = await RevocationMemory.open(join(directory, "revoked.json"));
  await readReloadableConfig(join(directory, "certs"), join(directory, "policy.json"), memory, log);
  await readLimits(join(directory, "limits.json"));
  await memory.save();
  await using auditLog = await AuditLog.open({ directory: join(directory, "audit") });
  auditLog.record({ event: "server", text: "started" });
}

/**
 * Damages one file of a copy, and reads the copy.
 *
 * @returns the damage, and the error
 */
export async function damageFiles(made: ServerFiles, seed: number): Promise<string> {
  const random = new Random(seed);
  const copy = join(made.directory, `copy-${seed}`);
  copyDirectory(join(made.directory, "whole"), copy);
  try {
    const files = filesBelow(copy);
    const path = files[random.below(files.length)]!;
    const context = `seed ${seed}, ${damageFile(path, random)} in ${path.slice(copy.length + 1)}`;
    let result = "started";
    try {
      await start(copy);
    } catch (error) {
      assertRefusal(error, REFUSALS, context);
      result = error.message;
    }
    verifiedText(await verifyAudit(join(copy, "audit")));
    return `${context}: ${result}`;
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
}
