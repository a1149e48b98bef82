/** Reads the standard error of a node host, where its spool is a directory that this machine has too. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { MAX_REPORT_BYTES } from "./node_config.ts";

/**
 * Returns the end of the file. Empty when this machine does not have it. The directory may be one in which everybody can
 * make files, so only a file of this user counts, and no link.
 */
export async function readReport(path: string): Promise<string> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (!stat.isFile() || stat.uid !== Deno.uid()) return "";
    const bytes = new Uint8Array(MAX_REPORT_BYTES);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, Math.max(0, stat.size - bytes.length));
    return new TextDecoder().decode(bytes.subarray(0, bytesRead));
  } catch {
    return "";
  }
}
