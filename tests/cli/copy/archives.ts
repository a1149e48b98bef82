/** Archives of tar as a hostile sender writes them, entry by entry. */

/** An entry. Its type is as in ustar: 0 file, 1 hard link, 2 symbolic link, 3 device, 5 directory. */
export interface Entry {
  readonly name: string;
  readonly type: "0" | "1" | "2" | "3" | "5";
  readonly link?: string;
  readonly content?: string;
  readonly mode?: number;
}

const BLOCK = 512;

/** Returns an archive with these entries. */
export function archive(...entries: readonly Entry[]): Uint8Array {
  const blocks = entries.flatMap(blocksOf);
  // Two empty blocks end an archive. GNU tar reads 20 blocks at a time.
  while (blocks.length % 20 !== 0 || blocks.length === 0) blocks.push(new Uint8Array(BLOCK));
  const bytes = new Uint8Array(blocks.length * BLOCK);
  for (const [index, block] of blocks.entries()) bytes.set(block, index * BLOCK);
  return bytes;
}

function blocksOf({ name, type, link = "", content = "", mode = 0o755 }: Entry): Uint8Array[] {
  const header = new Uint8Array(BLOCK);
  const put = (at: number, text: string) => header.set(new TextEncoder().encode(text), at);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  const data = new TextEncoder().encode(content);
  put(0, name);
  put(100, `${octal(mode, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0${octal(data.length, 11)}\0${octal(1_000_000, 11)}\0`);
  put(148, " ".repeat(8));
  put(156, type);
  put(157, link);
  put(257, "ustar\x0000");
  put(329, `${octal(1, 7)}\0${octal(3, 7)}\0`);
  put(148, `${octal(header.reduce((sum, byte) => sum + byte, 0), 6)}\0 `);
  const body = new Uint8Array(Math.ceil(data.length / BLOCK) * BLOCK);
  body.set(data);
  return body.length === 0 ? [header] : [header, body];
}
