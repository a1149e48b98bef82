/** The certificate files of contexts that were made from bundles: `contexts/NAME/` in the configuration directory. */
import type { Bundle } from "../../trust/bundle.ts";

/** Returns the directory of a context, relative to the configuration directory. */
export function filesOf(name: string): string {
  return `contexts/${name}`;
}

/**
 * Writes the files of a bundle, all or none: `ca.crt`, `NAME.crt` and `NAME.key` of its identity. Replaces those of an
 * earlier bundle. Only the user can read them.
 *
 * @param dir the configuration directory
 * @param name the name of the context
 */
export async function writeContextFiles(dir: string, name: string, bundle: Bundle): Promise<void> {
  const { identity, authority, certificate, key } = bundle;
  const parent = `${dir}/contexts`;
  await Deno.mkdir(parent, { recursive: true, mode: 0o700 });
  // A hidden name, which no context can have.
  const staging = await Deno.makeTempDir({ dir: parent, prefix: ".making-" });
  try {
    await writeFile(`${staging}/ca.crt`, authority);
    await writeFile(`${staging}/${identity}.crt`, certificate);
    await writeFile(`${staging}/${identity}.key`, key);
    const target = `${dir}/${filesOf(name)}`;
    const old = `${staging}.old`;
    const hadFiles = await Deno.rename(target, old).then(() => true, ignoreMissing);
    await Deno.rename(staging, target);
    if (hadFiles) await Deno.remove(old, { recursive: true });
  } finally {
    await Deno.remove(staging, { recursive: true }).catch(() => {});
  }
}

/** Removes the files of a context. Without files it does nothing. */
export async function removeContextFiles(dir: string, name: string): Promise<void> {
  await Deno.remove(`${dir}/${filesOf(name)}`, { recursive: true }).catch(ignoreMissing);
}

function ignoreMissing(error: unknown): false {
  if (error instanceof Deno.errors.NotFound) return false;
  throw error;
}

async function writeFile(path: string, text: string): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  let rest = new TextEncoder().encode(`${text.trim()}\n`);
  while (rest.length > 0) rest = rest.subarray(await file.write(rest));
  await file.sync();
}
