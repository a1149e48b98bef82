/** Tests for the output of a supervisor's jobs: every byte for every watcher, cursors, and limits. */
import "../../support/plain_start.ts";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  CursorOutOfRangeError,
  InvalidCursorError,
  JobNotFoundError,
  OutputUnavailableError,
  type Supervisor,
} from "../../../mod.ts";
import { jobCounts } from "../../support/job_counts.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { all, read, startUp } from "./supervisor_fixture.ts";
import { finalStatus } from "../../support/final_status.ts";
import { eachForm } from "./job_host_fixture.ts";

eachForm(
  "watchOutput() gives every watcher the same 64 MiB on both streams, whenever it starts",
  async (Supervisor) => {
    await using supervisor = new Supervisor();
    const bytes = 67_108_864;
    const script = `head -c ${bytes} /dev/urandom | tee /dev/fd/3 >&2`;
    const id = await supervisor.add("sh", ["-c", `exec 3>&1; ${script}`]);
    const digest = async () => {
      const hashes = { stdout: createHash("sha256"), stderr: createHash("sha256") };
      const output = supervisor.watchOutput(id);
      while (true) {
        const { done, value } = await output.next();
        if (!done) {
          hashes[value.stream].update(value.data);
          continue;
        }
        assert.equal(value.stdoutBytes, bytes);
        assert.equal(value.stderrBytes, bytes);
        const [stdout, stderr] = [hashes.stdout.digest("hex"), hashes.stderr.digest("hex")];
        assert.equal(stdout, value.stdoutSha256.toHex());
        assert.equal(stderr, value.stderrSha256.toHex());
        assert.equal(stdout, stderr);
        return stdout;
      }
    };
    const readers = [digest(), digest(), digest(), digest()];
    await supervisor.start(id);
    {
      // These watchers start after at least 8 MiB of output.
      let seen = 0;
      for await (const { data } of supervisor.watchOutput(id)) if ((seen += data.length) > 8_388_608) break;
    }
    readers.push(digest(), digest(), digest());
    await Promise.all(readers);
    readers.push(digest(), digest(), digest());
    assert.equal(new Set(await Promise.all(readers)).size, 1);
    assert.equal((await jobCounts(supervisor)).watchers, 0);
  },
);

eachForm("watchOutput() gives bytes unchanged: NULs, invalid UTF-8, no last newline, no output", async (Supervisor) => {
  await using supervisor = new Supervisor();
  for (const script of ["", "printf 'a\\0b\\377\\376\\303'", "printf '\\n\\n'", "printf x"]) {
    const id = await supervisor.add("sh", ["-c", script]);
    const wanted = (await new Deno.Command("sh", { args: ["-c", script] }).output()).stdout;
    await supervisor.start(id);
    const chunks = await all(supervisor.watchOutput(id));
    assert.deepEqual(Uint8Array.from(chunks.flatMap(({ data }) => [...data])), wanted);
  }
});

eachForm("watchOutput() without `follow` gives the output so far and ends while the job runs", async (Supervisor) => {
  await using supervisor = new Supervisor();
  const id = await startUp(supervisor);
  const { text, end } = await read(supervisor.watchOutput(id, { follow: false }));
  assert.equal(text, "up\n");
  assert.equal(end.status.state, "RUNNING");
  assert.equal(end.stdoutSha256.toHex(), createHash("sha256").update("up\n").digest("hex"));
});

eachForm("watchOutput() refuses invalid cursors and cursors of another job", async (Supervisor) => {
  await using temporary = await tempDir();
  const directory = temporary.path;
  {
    await using supervisor = new Supervisor({ directory });
    const [one, other] = [await startUp(supervisor), await startUp(supervisor)];
    const [chunk] = await all(supervisor.watchOutput(one, { follow: false }));
    assert.ok(chunk);
    assert.deepEqual(await all(supervisor.watchOutput(one, { follow: false, cursor: chunk.cursor })), []);
    await assert.rejects(all(supervisor.watchOutput(other, { cursor: chunk.cursor })), InvalidCursorError);
    for (const cursor of ["x", "0.0.0.0", `${chunk.cursor} `, chunk.cursor.toUpperCase()]) {
      await assert.rejects(all(supervisor.watchOutput(one, { cursor })), InvalidCursorError, cursor);
    }
    assert.equal(new CursorOutOfRangeError("x").code, "CURSOR_OUT_OF_RANGE");
  }
});

eachForm("outputLimit stops a job, drops its oldest output, or blocks it", async (Supervisor) => {
  await using supervisor = new Supervisor();
  const run = async (policy: "STOP" | "KEEP_NEWEST" | "BLOCK", command = "yes | head -c 5000000") => {
    const id = await supervisor.add("sh", ["-c", command], { outputLimit: { maxBytes: 100_000, policy } });
    await supervisor.start(id);
    return id;
  };
  const stopped = await read(supervisor.watchOutput(await run("STOP", "exec yes")));
  assert.equal(stopped.end.status.reason, "OUTPUT_LIMIT");
  assert.equal(stopped.text.length, 100_000);
  assert.ok(stopped.end.droppedBytes > 0);

  const id = await run("KEEP_NEWEST");
  await finalStatus(supervisor, id);
  const kept = await read(supervisor.watchOutput(id));
  assert.equal(kept.end.status.exitCode, 0);
  assert.equal(kept.end.stdoutBytes, 5_000_000);
  assert.ok(kept.text.length <= 100_000 && kept.text.length > 30_000, `${kept.text.length}`);
  assert.equal(kept.text.length + kept.end.droppedBytes, 5_000_000);

  const blocked = await run("BLOCK", "exec yes");
  {
    let seen = 0;
    for await (const { data } of supervisor.watchOutput(blocked)) if ((seen += data.length) === 100_000) break;
  }
  assert.equal((await supervisor.status(blocked)).state, "RUNNING");
  const end = await supervisor.stop(blocked, { by: "ann" });
  assert.equal(end.state, "KILLED");
  assert.equal(end.stdoutBytes, 100_000);
});

eachForm("maxOutputBytes limits the output of all jobs, and remove() frees space", async (Supervisor) => {
  await using supervisor = new Supervisor({ maxOutputBytes: 1_000_000 });
  const first = await supervisor.add("head", ["-c", "900000", "/dev/zero"]);
  await supervisor.start(first);
  await finalStatus(supervisor, first);
  // A watched job is not removed to free space.
  await using reader = supervisor.watchOutput(first);
  await reader.next();
  const tooMuch = await supervisor.add("sh", ["-c", "exec yes"]);
  await supervisor.start(tooMuch);
  assert.equal((await finalStatus(supervisor, tooMuch)).reason, "OUTPUT_LIMIT");
  await supervisor.remove(first);
  const fits = await supervisor.add("head", ["-c", "500000", "/dev/zero"]);
  await supervisor.start(fits);
  assert.equal((await finalStatus(supervisor, fits)).exitCode, 0);
});

eachForm("remove() ends the watchers of an ended job before the end of its output", async (Supervisor) => {
  await using supervisor = new Supervisor();
  const id = await supervisor.add("head", ["-c", "3000000", "/dev/zero"]);
  await supervisor.start(id);
  await finalStatus(supervisor, id);
  const output = supervisor.watchOutput(id);
  await output.next();
  await supervisor.remove(id);
  await assert.rejects(read(output), JobNotFoundError);
  assert.equal((await supervisor.list()).jobs.length, 0);
});

eachForm("maxOutputBytes includes the output of the previous supervisor", async (Supervisor) => {
  await using temporary = await tempDir();
  const directory = temporary.path;
  const options = { directory, maxOutputBytes: 1_000_000 };
  const run = async (supervisor: Supervisor) => {
    const id = await supervisor.add("head", ["-c", "900000", "/dev/zero"]);
    await supervisor.start(id);
    await finalStatus(supervisor, id);
    return { id, reason: (await supervisor.status(id)).reason };
  };
  let left = "";
  {
    await using supervisor = new Supervisor(options);
    const { id, reason } = await run(supervisor);
    assert.equal(reason, "EXITED");
    left = id;
  }
  {
    await using supervisor = new Supervisor(options);
    await using reader = supervisor.watchOutput(left);
    await reader.next(); // A watched job is not removed to free space.
    assert.equal((await run(supervisor)).reason, "OUTPUT_LIMIT");
    assert.equal((await read(supervisor.watchOutput(left))).text.length, 900_000);
    await reader.return();
    assert.equal((await run(supervisor)).reason, "EXITED"); // An unwatched job is removed.
    await assert.rejects(supervisor.status(left), JobNotFoundError);
    assert.equal((await run(supervisor)).reason, "EXITED");
  }
});

eachForm(
  "watchOutput() throws OutputUnavailableError when files of the previous supervisor are missing, cut or empty",
  async (Supervisor) => {
    await using temporary = await tempDir();
    const directory = temporary.path;
    const ids: string[] = [];
    {
      await using supervisor = new Supervisor({ directory });
      for (let index = 0; index < 3; index++) {
        const id = await supervisor.add("sh", ["-c", "echo one; sleep 0.02; echo two"]);
        await supervisor.start(id);
        await finalStatus(supervisor, id);
        ids.push(id);
      }
    }
    const [gone = "", cut = "", empty = ""] = ids;
    const fileOf = (id: string) => {
      const output = `${directory}/output/${id}`;
      return `${output}/${[...Deno.readDirSync(output)][0]?.name}`;
    };
    await Deno.truncate(fileOf(cut), (await Deno.stat(fileOf(cut))).size - 1);
    await Deno.truncate(fileOf(empty), 0);
    // A removal on a full disk deletes the output first. This one could not be stored afterwards.
    await Deno.remove(`${directory}/output/${gone}`, { recursive: true });
    await using supervisor = new Supervisor({ directory });
    for (const id of ids) {
      for (const options of [{}, { follow: false }, { tailLines: 1 }, { since: new Date(0) }, { until: new Date(0) }]) {
        const output = Array.fromAsync(supervisor.watchOutput(id, options));
        // There was no output before this time, so none of it is missing.
        if (id === cut && "until" in options) await output;
        else await assert.rejects(output, OutputUnavailableError, `${ids.indexOf(id)} ${JSON.stringify(options)}`);
      }
      assert.equal((await supervisor.status(id)).state, "EXITED");
      await supervisor.remove(id);
    }
    assert.equal((await jobCounts(supervisor)).jobs, 0);
    await supervisor.close();
  },
);
