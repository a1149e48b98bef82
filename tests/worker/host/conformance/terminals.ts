/** Promises of a link about jobs on a terminal: their size, their keys, and their life without a supervisor. */
import assert from "node:assert/strict";
import { deadline } from "../../../support/deadline.ts";
import { texts } from "../../process/input.ts";
import { type HostForm, TestedHost } from "./fixture.ts";

const terminal = { columns: 80, rows: 24 };

/** Registers the tests for a form of the link. */
export function testTerminals(form: HostForm): void {
  const test = (name: string, run: (host: TestedHost) => Promise<void>) =>
    Deno.test(`${form.name}: ${name}`, async () => {
      await using host = await TestedHost.start(form);
      await run(host);
      assert.deepEqual(host.events.errors, []);
    });

  test("a job on a terminal has an input, and one stream of output", async (host) => {
    const id = await host.run('read line; echo "got $line" >&2; stty size', { terminal });
    const result = await host.link.writeInput(id, texts("hello\n"), {});
    assert.equal(result.accepted, 6);
    const end = await host.events.end(id);
    assert.ok(end.status.state === "EXITED");
    assert.equal(await host.outputOf(end), "hello\r\ngot hello\r\n24 80\r\n");
  });

  test("resize() sets the size of a terminal, and the program gets SIGWINCH", async (host) => {
    const id = await host.runUp("trap 'stty size; exit' WINCH; echo up; while :; do sleep 0.01; done", { terminal });
    await host.link.resize(id, { columns: 132, rows: 43 });
    assert.equal(await host.outputOf(await host.events.end(id)), "up\r\n43 132\r\n");
  });

  test("resize() refuses a job without a terminal, a size out of range, and a job that does not run", async (host) => {
    const plain = await host.runUp();
    await assert.rejects(host.link.resize(plain, terminal), { code: "NO_TERMINAL" });
    const id = await host.runUp(undefined, { terminal });
    await assert.rejects(host.link.resize(id, { columns: 0, rows: 24 }), { code: "INVALID_ARGUMENT" });
    await host.link.stop(id, {});
    await assert.rejects(host.link.resize(id, terminal), { code: "JOB_NOT_RUNNING" });
    await assert.rejects(host.link.resize("unknown", terminal), { code: "JOB_NOT_RUNNING" });
  });

  test("a job on a terminal continues without a supervisor", async (host) => {
    const id = await host.runUp("echo up; read a; read b; stty size; echo $a$b", { terminal });
    await host.link.writeInput(id, texts("1\n"), {});
    await host.leave();
    await host.attachAnew();
    await host.link.resize(id, { columns: 100, rows: 30 });
    await deadline(host.link.writeInput(id, texts("2\n"), {}), "the input after the change of supervisor");
    assert.equal(await host.outputOf(await host.events.end(id)), "up\r\n1\r\n2\r\n30 100\r\n12\r\n");
  });
}
