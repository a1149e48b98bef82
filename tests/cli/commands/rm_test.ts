/** `teleport rm` by ids and by filters. */
import assert from "node:assert/strict";
import { FakeCallError, FakeIo, teleport } from "../../support/fake_io.ts";
import { aEnded, bEnded } from "../../support/fake_events.ts";

Deno.test("teleport rm removes the jobs that it can, and reports the others", async () => {
  const io = new FakeIo({
    Remove: ({ id }) =>
      id === "b" ? Promise.reject(new FakeCallError("FAILED_PRECONDITION", "Job b runs")) : Promise.resolve({}),
  });
  assert.equal(await teleport(io, "rm", "a", "b", "c"), 1);
  assert.equal(io.stdout.text, "a\nc\n");
  assert.equal(io.stderr.text, "teleport: Job b runs\n");
});

Deno.test("teleport rm of more jobs than calls at once removes all of them", async () => {
  let open = 0;
  let most = 0;
  const io = new FakeIo({
    Remove: async () => {
      open += 1;
      most = Math.max(most, open);
      await Promise.resolve();
      open -= 1;
      return {};
    },
  });
  const ids = Array.from({ length: 100 }, (_, index) => `job-${index}`);
  assert.equal(await teleport(io, "rm", ...ids), 0);
  assert.deepEqual(io.stdout.text.trimEnd().split("\n"), ids);
  assert.equal(most, 32);
});

Deno.test("teleport rm exits 255 when the server cannot be reached", async () => {
  const io = new FakeIo({ Remove: () => Promise.reject(new FakeCallError("UNAVAILABLE")) });
  assert.equal(await teleport(io, "rm", "a"), 255);
});

Deno.test("teleport rm by filter removes ended jobs, page by page", async () => {
  const asked: unknown[] = [];
  const removed: string[] = [];
  const io = new FakeIo({
    List: ({ states, page_token, id_prefix: id }) => {
      if (id) return Promise.resolve({ jobs: [{ ...aEnded, id }], next_page_token: "" });
      asked.push(states);
      return Promise.resolve({
        jobs: [page_token === "" ? { ...aEnded, id: "0a" } : { ...bEnded, id: "0b" }],
        next_page_token: page_token === "" ? "2" : "",
      });
    },
    Remove: ({ id }) => {
      removed.push(String(id));
      return Promise.resolve({});
    },
  });
  const final = ["STATE_EXITED", "STATE_KILLED", "STATE_FAILED", "STATE_LOST"];
  assert.equal(await teleport(io, "rm", "--label", "x=y"), 0);
  assert.equal(await teleport(io, "rm", "--ended"), 0);
  assert.equal(await teleport(io, "rm", "--state", "initial"), 0);
  assert.deepEqual(asked, [final, final, final, final, ["STATE_INITIAL"], ["STATE_INITIAL"]]);
  assert.deepEqual(removed, ["0a", "0b", "0a", "0b", "0a", "0b"]);
  assert.equal(io.stdout.text, "0a\n0b\n0a\n0b\n0a\n0b\n");
});

Deno.test("teleport rm needs either ids, or filters or --ended", async () => {
  const io = new FakeIo();
  assert.equal(await teleport(io, "rm"), 2);
  assert.equal(await teleport(io, "rm", "--ended", "a"), 2);
  assert.equal(await teleport(io, "rm", "--owner", "ada", "a"), 2);
  assert.equal(await teleport(io, "list", "--sort", "size"), 2);
});
