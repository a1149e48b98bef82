/**
 * Tests for a damaged write-ahead log of a killed process: no change is lost silently.
 * Slow: it kills and reopens many databases.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DirectoryInUseError, StoreUnusableError } from "../../../worker/storage_errors.ts";
import { Store } from "../../../worker/store/store.ts";
import { checkWal } from "../../../worker/store/wal_check.ts";
import { Random } from "../../support/random.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** The longest time that a writer needs on a busy machine, in milliseconds. */
const READY_MS = 60_000;

const HEADER_BYTES = 32;
const FRAME_BYTES = 24 + 4_096;

/** A writer that has written its jobs and is still alive. */
async function writer(path: string, count: number, bootId: string): Promise<Deno.ChildProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", new URL("job_writer.ts", import.meta.url).pathname, path, `${count}`, bootId],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), READY_MS);
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  clearTimeout(timer);
  assert.equal(new TextDecoder().decode(value), "done\n");
  await reader.cancel();
  return child;
}

async function killed(path: string, count: number, bootId = "boot"): Promise<void> {
  const child = await writer(path, count, bootId);
  child.kill("SIGKILL");
  await child.status;
}

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  await using temporary = await tempDir();
  const directory = temporary.path;
  await use(directory);
}

/** Opens a store in a copy of a directory. Returns its jobs and its messages. */
function opened(directory: string, change: (wal: Uint8Array) => Uint8Array | void, bootId = "boot") {
  const copy = `${directory}-copy`;
  Deno.mkdirSync(copy);
  try {
    for (const { name } of Deno.readDirSync(directory)) Deno.copyFileSync(join(directory, name), join(copy, name));
    const path = join(copy, "jobs.db");
    const before = Deno.readFileSync(`${path}-wal`);
    const wal = change(before) ?? before;
    Deno.writeFileSync(`${path}-wal`, wal);
    const told: string[] = [];
    try {
      using store = new Store(path, { bootId, onWarning: (text) => told.push(text) });
      const ended = store.states.EXITED;
      return { jobs: store.count, ended, told: told.join("\n"), refusal: "" };
    } catch (error) {
      assert.ok(error instanceof StoreUnusableError, `${error}`);
      // The damaged log is left unchanged.
      assert.deepEqual(Deno.readFileSync(`${path}-wal`), wal);
      return { jobs: 0, ended: 0, told: told.join("\n"), refusal: error.message };
    }
  } finally {
    Deno.removeSync(copy, { recursive: true });
  }
}

const flip = (at: number, bit = 0) => (wal: Uint8Array) => {
  wal[at] = (wal[at] ?? 0) ^ (1 << bit);
};

const DAMAGED =
  /^The database "jobs\.db" in the data directory cannot be opened: "jobs\.db-wal", which has its last changes, is damaged at byte \d+\. Restore both from a copy, or move "jobs\.db-wal" away to continue without its changes$/;

Deno.test("new Store() refuses the log of a killed process with one flipped bit anywhere", () =>
  withDirectory(async (directory) => {
    await killed(join(directory, "jobs.db"), 18);
    const size = Deno.statSync(join(directory, "jobs.db-wal")).size;
    const frames = (size - HEADER_BYTES) / FRAME_BYTES;
    assert.ok(Number.isInteger(frames) && frames > 18);
    const whole = opened(directory, () => {});
    assert.deepEqual([whole.jobs, whole.ended, whole.told, whole.refusal], [18, 18, "", ""]);
    const random = new Random(1);
    const places = [
      ...Array.from({ length: HEADER_BYTES }, (_, at) => at),
      // In some frames, each field of the header: page, size, salts, checksum.
      ...[0, 1, frames - 2, frames - 1].flatMap((frame) =>
        [3, 7, 8, 12, 16, 20].map((field) => HEADER_BYTES + frame * FRAME_BYTES + field)
      ),
      ...Array.from({ length: frames }, (_, frame) => HEADER_BYTES + frame * FRAME_BYTES + 24 + random.below(4_096)),
    ];
    for (const at of places) {
      const { refusal, jobs, ended } = opened(directory, flip(at, random.below(8)));
      assert.match(refusal, DAMAGED, `byte ${at}: ${jobs} jobs, ${ended} ended`);
    }
  }));

Deno.test("new Store() opens a log that a kill has cut, and warns when its last change is incomplete", () =>
  withDirectory(async (directory) => {
    await killed(join(directory, "jobs.db"), 5);
    const size = Deno.statSync(join(directory, "jobs.db-wal")).size;
    const random = new Random(2);
    for (const less of [1, 24, 4_096, 4_100, 4_119, ...Array.from({ length: 10 }, () => 1 + random.below(4_119))]) {
      const { jobs, ended, told, refusal } = opened(directory, (wal) => wal.subarray(0, size - less));
      assert.deepEqual([jobs, ended, refusal], [5, 4, ""], `${less} bytes less`);
      assert.match(told, /^the end of "jobs\.db-wal" was incomplete and was dropped\. /);
    }
    // A log without a frame or without a header is empty.
    for (const bytes of [0, 31, 32]) assert.equal(opened(directory, (wal) => wal.subarray(0, bytes)).refusal, "");
  }));

Deno.test("new Store() only warns of a damaged log after a reboot, because a power failure leaves holes", () =>
  withDirectory(async (directory) => {
    await killed(join(directory, "jobs.db"), 18);
    for (const at of [0, 20, HEADER_BYTES + 40 * FRAME_BYTES + 100]) {
      const { jobs, told, refusal } = opened(directory, flip(at), "another boot");
      assert.ok(jobs < 18, `${jobs}`);
      assert.equal(refusal, "");
      assert.match(told, /^"jobs\.db-wal" is damaged at byte \d+, and all later changes are lost\. /);
    }
    // The id of the boot is unknown.
    assert.notEqual(opened(directory, flip(0), "").told, "");
  }));

Deno.test("new Store() does not report changes again that it has dropped before", () =>
  withDirectory(async (directory) => {
    const path = join(directory, "jobs.db");
    await killed(path, 18);
    const wal = Deno.readFileSync(`${path}-wal`);
    flip(HEADER_BYTES + 40 * FRAME_BYTES + 100)(wal);
    Deno.writeFileSync(`${path}-wal`, wal);
    // After the reboot the server is killed again in the same boot, with complete changes in its log.
    await killed(path, 1, "another boot");
    const { told, refusal } = opened(directory, () => {}, "another boot");
    assert.deepEqual([told, refusal], ["", ""]);
  }));

Deno.test("checkWal() ignores older changes in a reused log, and finds damage in the newer ones", () =>
  withDirectory(async (directory) => {
    const path = join(directory, "jobs.db");
    // SQLite reuses the log after 1,000 pages. A job needs about 10.
    await killed(path, 150);
    const wal = Deno.readFileSync(`${path}-wal`);
    const view = new DataView(wal.buffer);
    assert.notEqual(view.getUint32(12), 0, "begun again");
    const salts = view.getBigUint64(16);
    let newer = 0;
    while (view.getBigUint64(HEADER_BYTES + newer * FRAME_BYTES + 8) === salts) newer += 1;
    const frames = (wal.length - HEADER_BYTES) / FRAME_BYTES;
    assert.ok(newer > 10 && newer < frames - 10, `${newer} of ${frames}`);
    assert.deepEqual(opened(directory, () => {}), { jobs: 150, ended: 150, told: "", refusal: "" });
    const random = new Random(3);
    const inFrame = (frame: number) => HEADER_BYTES + frame * FRAME_BYTES + random.below(FRAME_BYTES);
    for (const frame of [0, 5, newer - 2]) assert.match(opened(directory, flip(inFrame(frame))).refusal, DAMAGED);
    for (const frame of [newer, newer + 5, frames - 1]) {
      assert.deepEqual(opened(directory, flip(inFrame(frame))), { jobs: 150, ended: 150, told: "", refusal: "" });
    }
    // A damaged last change looks like one that a kill has cut, so it is a warning.
    assert.match(opened(directory, flip(inFrame(newer - 1) | 64)).told, /^the end of "jobs\.db-wal" was incomplete/);
  }));

Deno.test("new Store() refuses no log after random kills of a writer", () =>
  withDirectory(async (directory) => {
    const path = join(directory, "jobs.db");
    const random = new Random(4);
    for (let round = 0; round < 6; round++) {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "-A", new URL("job_writer.ts", import.meta.url).pathname, path, "100000", "boot"],
        stdin: "null",
        stdout: "null",
      }).spawn();
      const deadline = performance.now() + READY_MS;
      const least = 200_000 + random.below(3_000_000);
      const size = () => {
        try {
          return Deno.statSync(`${path}-wal`).size;
        } catch {
          return 0;
        }
      };
      while (size() < least && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 1));
      child.kill("SIGKILL");
      await child.status;
      const found = checkWal(`${path}-wal`);
      assert.notEqual(found?.kind, "DAMAGED", `seed 4, round ${round}: byte ${found?.at}`);
      using _store = new Store(path, { bootId: "boot" });
    }
  }));

Deno.test("new Store() reports the error of the system when it cannot read the log", () =>
  withDirectory(async (directory) => {
    const path = join(directory, "jobs.db");
    new Store(path)[Symbol.dispose]();
    await Deno.mkdir(`${path}-wal`);
    assert.throws(() => new Store(path), (error) => {
      assert.ok(error instanceof StoreUnusableError);
      assert.match(error.message, /^The database "jobs\.db" in the data directory cannot be written \(EISDIR\)/);
      return true;
    });
  }));

Deno.test("new Store() reports a database in use although its log is damaged", () =>
  withDirectory(async (directory) => {
    const path = join(directory, "jobs.db");
    const child = await writer(path, 18, "boot");
    try {
      const file = Deno.openSync(`${path}-wal`, { write: true });
      file.seekSync(5_000, Deno.SeekMode.Start);
      file.writeSync(Uint8Array.of(1, 2, 3));
      file.close();
      assert.throws(() => new Store(path, { bootId: "boot" }), DirectoryInUseError);
    } finally {
      child.kill("SIGKILL");
      await child.status;
    }
  }));
