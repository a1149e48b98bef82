/**
 * Tests a client in another language: Python with grpcio, which uses gRPC's C core. It runs when TELEPORT_TEST_PYTHON,
 * or else python3, has the packages of requirements.txt.
 */
import assert from "node:assert/strict";
import { startServer } from "../support/programs.ts";
import { skippedIf } from "../support/needs.ts";
import { tempDir } from "../support/temp_dir.ts";

const python = Deno.env.get("TELEPORT_TEST_PYTHON") ?? "python3";
const here = new URL(".", import.meta.url).pathname;
const proto = new URL("../../proto", import.meta.url).pathname;

async function run(...args: string[]): Promise<{ code: number; text: string }> {
  try {
    const { code, stdout, stderr } = await new Deno.Command(python, { args, stdin: "null" }).output();
    return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
  } catch (error) {
    return { code: 127, text: String(error) };
  }
}

const able = (await run("-c", "import grpc, grpc_tools, grpc_reflection")).code === 0;
const missing = able ? undefined : `needs the packages of tests/interop/requirements.txt for "${python}"`;

Deno.test(skippedIf(missing, "a Python client registers, starts, reads and stops jobs"), async () => {
  await using temporary = await tempDir();
  const generated = temporary.path;
  const compiled = await run(
    ...["-m", "grpc_tools.protoc", `-I${proto}`, `--python_out=${generated}`, `--grpc_python_out=${generated}`],
    `${proto}/teleport/v1/job_worker.proto`,
  );
  assert.equal(compiled.code, 0, compiled.text);
  {
    await using server = await startServer();
    const { code, text } = await run(`${here}client.py`, server.address, `${server.dir}/certs`, generated);
    assert.equal(code, 0, text);
    assert.match(text, /as promised/);
  }
});

Deno.test(skippedIf(missing, "a Python client makes every call by reflection alone"), async () => {
  await using temporary = await tempDir();
  const made = temporary.path;
  // One definition is enough for both versions of reflection.
  const text = await Deno.readTextFile(`${proto}/grpc/reflection/v1/reflection.proto`);
  await Deno.mkdir(`${made}/grpc/reflection/v1alpha`, { recursive: true });
  await Deno.writeTextFile(
    `${made}/grpc/reflection/v1alpha/reflection.proto`,
    text.replace("package grpc.reflection.v1;", "package grpc.reflection.v1alpha;"),
  );
  const compiled = await run(
    ...["-m", "grpc_tools.protoc", `-I${proto}`, `-I${made}`, "--include_imports"],
    `--descriptor_set_out=${made}/files.pb`,
    "teleport/v1/job_worker.proto",
    "grpc/health/v1/health.proto",
    "grpc/reflection/v1/reflection.proto",
    "grpc/reflection/v1alpha/reflection.proto",
  );
  assert.equal(compiled.code, 0, compiled.text);
  {
    await using server = await startServer();
    const { code, text } = await run(`${here}reflection.py`, server.address, `${server.dir}/certs`, `${made}/files.pb`);
    assert.equal(code, 0, text);
    assert.match(text, /as promised/);
  }
});
