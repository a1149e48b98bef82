/** The commands and files of the documents, so that a run follows them word by word. */

const REPOSITORY = new URL("../../", import.meta.url);

/**
 * Returns the code blocks of one section of a document, joined.
 *
 * @param path the document, from the top of the repository
 * @param heading the heading of the section, without its number signs
 * @param language the language of the blocks; shell commands unless given
 * @throws Error when the section is missing, or has no such block
 */
export async function codeOf(path: string, heading: string, language = "sh"): Promise<string> {
  const text = await Deno.readTextFile(new URL(path, REPOSITORY));
  const section = text.split(/^##+ /m).find((part) => part.startsWith(`${heading}\n`));
  const blocks = [...(section ?? "").matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "gm"))];
  if (blocks.length === 0) throw new Error(`Cannot find ${language} code under the heading "${heading}" of "${path}"`);
  return blocks.map(([, code]) => code).join("\n");
}
