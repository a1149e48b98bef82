/** The commands of the documents, so that a run follows them word by word. */

const REPOSITORY = new URL("../../", import.meta.url);

/**
 * Returns the shell commands of one section of a document.
 *
 * @param path the document, from the top of the repository
 * @param heading the heading of the section, without its number signs
 * @throws {Error} when there is no such section, or it has no commands
 */
export async function commandsOf(path: string, heading: string): Promise<string> {
  const text = await Deno.readTextFile(new URL(path, REPOSITORY));
  const section = text.split(/^##+ /m).find((part) => part.startsWith(`${heading}\n`));
  const blocks = [...(section ?? "").matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, commands]) => commands!);
  if (blocks.length === 0) throw new Error(`"${path}" has no commands under the heading "${heading}"`);
  return blocks.join("\n");
}
