/** Values as YAML: one document for each, where JSON has one line for each. */
import { Document, visit } from "yaml";
import { escapeText, UNPRINTABLE } from "../../text/unprintable.ts";
import type { Encode } from "./format.ts";

/** Lines are not folded, because programs such as grep(1) read lines. */
const STYLE = { lineWidth: 0, doubleQuotedMinMultiLineLength: Infinity } as const;

/** Makes the encoder. A line `---` separates the documents. */
export function yamlEncoder(): Encode {
  let separator = "";
  return (value) => {
    const document = new Document(value, { aliasDuplicateObjects: false });
    visit(document, {
      Scalar(_, node) {
        // Only this kind of text has escapes, which keep a terminal safe and every byte exact.
        if (typeof node.value === "string" && node.value.search(UNPRINTABLE) >= 0) node.type = "QUOTE_DOUBLE";
      },
    });
    const text = `${separator}${escapeText(document.toString(STYLE))}`;
    separator = "---\n";
    return text;
  };
}
