/** The default PATH of jobs: the server's PATH without what npm added to it. */

/**
 * Folders that npm and npx put before PATH for the program they start: `node_modules/.bin` of every folder above, and one
 * of npm itself. Their programs would hide the programs of the system.
 */
const NPM_FOLDER = /\/node_modules\/\.bin\/?$|\/node-gyp-bin\/?$/;

/**
 * Returns the PATH of jobs.
 *
 * @param path the server's PATH
 * @returns undefined when no folder remains; the library's default then applies
 */
export function jobPath(path: string | undefined): string | undefined {
  // Relative folders, and the empty one, would mean each job's own directory.
  const folders = (path ?? "").split(":").filter((folder) => folder.startsWith("/") && !NPM_FOLDER.test(folder));
  return folders.length === 0 ? undefined : folders.join(":");
}
