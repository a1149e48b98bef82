/** Where jobs look for their programs: where the server does, without what its own starters put there. */

/**
 * npm and npx put these before PATH for the program that they start: `node_modules/.bin` of every folder above, and a
 * folder of npm's own. Jobs did not ask for them, and programs there would hide the system's.
 */
const OF_NPM = /\/node_modules\/\.bin\/?$|\/node-gyp-bin\/?$/;

/**
 * The PATH of jobs.
 *
 * @param path the server's
 * @returns undefined where nothing is left: the library's default then counts
 */
export function jobPath(path: string | undefined): string | undefined {
  // Relative folders, and the empty one, would be looked up in each job's own directory.
  const folders = (path ?? "").split(":").filter((folder) => folder.startsWith("/") && !OF_NPM.test(folder));
  return folders.length === 0 ? undefined : folders.join(":");
}
