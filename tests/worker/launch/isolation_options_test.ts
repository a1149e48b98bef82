/** Tests of isolated jobs with other options, users and hosts. */
import assert from "node:assert/strict";
import { tempDir } from "../../support/temp_dir.ts";
import type { Isolation } from "../../../base/job_options/table.ts";
import { Supervisor } from "../../../mod.ts";
import { Process } from "../../../worker/process/process.ts";
import { asUser, isolated, run } from "./isolated.ts";

Deno.test({
  ...isolated("a STRICT job has limits that are too low for the launcher"),
  async fn() {
    const { status, stdout, stderr } = await run("umask; ulimit -f; ulimit -n; echo x >/tmp/x; echo not-reached", {
      isolation: "STRICT",
      ...asUser("STRICT"),
      umask: 0o777,
      rlimits: { fileBytes: 0, openFiles: 20 },
    });
    assert.equal(stdout, "0777\n0\n20\n", stderr);
    assert.ok(status.state === "KILLED" && status.signal === "SIGXFSZ");
  },
});

Deno.test({
  ...isolated("an isolated job cannot reach the host's /tmp by its directory or its program"),
  async fn() {
    await using temp = await tempDir();
    const directory = temp.path;
    const inside = await run("ls", { isolation: "PRIVATE", cwd: directory });
    assert.ok(inside.status.state === "FAILED" && inside.status.errorCode === "CWD_NOT_FOUND");
    assert.match(inside.status.error, /^Working directory "\S+" is hidden: an isolated job has a \/tmp /);
    await Deno.writeTextFile(`${directory}/tool`, "#!/bin/sh\n", { mode: 0o755 });
    const status = await new Process(`${directory}/tool`, [], { isolation: "PRIVATE" }).start();
    assert.ok(status.state === "FAILED" && status.errorCode === "NOT_EXECUTABLE");
    assert.match(status.error, /: No such file or directory: an isolated job has a \/tmp /);
  },
});

Deno.test({
  ...isolated("add() isolates a job, shows it in the status, and refuses unknown levels"),
  async fn() {
    await using supervisor = new Supervisor({ newPrivileges: "DENIED" });
    const ids = await Promise.all(
      [1, 2, 3].map(() => supervisor.add("ls", ["-A", "/tmp"], { isolation: "STRICT", ...asUser("STRICT") })),
    );
    for (const id of ids) {
      await supervisor.start(id);
      for await (const chunk of supervisor.watchOutput(id)) assert.fail(new TextDecoder().decode(chunk.data));
      const status = await supervisor.status(id);
      assert.ok(status.state === "EXITED" && status.exitCode === 0 && status.isolation === "STRICT");
    }
    await assert.rejects(supervisor.add("true", [], { isolation: "private" as Isolation }), /Isolation must be/);
    const both = { isolation: "STRICT", allowNewPrivileges: true } as const;
    await assert.rejects(supervisor.add("true", [], both), /cannot gain privileges: give one of the two options/);
  },
});
