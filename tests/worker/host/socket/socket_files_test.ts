/** The modes of the socket of a job host, of its key and of their directory. */
import assert from "node:assert/strict";
import { type FileModes, GROUP_MODES, OWNER_MODES } from "../../../../base/file_modes.ts";
import { listenIn, socketPath } from "../../../../worker/host/socket/socket_files.ts";
import { tempDir } from "../../../support/temp_dir.ts";

const modeOf = (path: string) => Deno.statSync(path).mode! & 0o777;

Deno.test("listenIn() makes the socket and its key for the owner alone, or with the modes that it gets", async () => {
  await using dir = await tempDir();
  const check = async (directory: string, expected: FileModes, modes?: FileModes) => {
    const socket = await listenIn(directory, modes);
    const files = [directory, socketPath(directory), `${directory}/key`];
    assert.deepEqual(files.map(modeOf), [expected.directory, expected.socket, expected.file]);
    socket.listener.close();
    socket.remove();
  };
  await check(`${dir.path}/owner`, OWNER_MODES);
  await check(`${dir.path}/group`, GROUP_MODES, GROUP_MODES);
});
