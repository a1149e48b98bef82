/** Tests of the generated reference: what a page shows, and that a stale page is found. */
import assert from "node:assert/strict";
import { Command, Option } from "commander";
import { differences, referencePages } from "./reference.ts";
import { needing } from "../support/needs.ts";
import { tempDir } from "../support/temp_dir.ts";
import { errorsText, programText } from "./reference_text.ts";

function example(): Command {
  const program = new Command("tool").usage("[OPTIONS] COMMAND").description("Does things.")
    .option("--size <a|b>", "how large", "a")
    .addOption(new Option("--secret", "not shown").hideHelp());
  program.command("go").argument("<where>", "the place").description("go there")
    .addHelpText("before", "Example:\n  tool go home\n").addHelpText("after", "\nIt is a note.");
  return program;
}

Deno.test("programText() shows usage, options, commands, notes and exit codes", () => {
  const text = programText(example(), [["0", "Success."]]);
  for (
    const part of [
      "# tool\n",
      "\nDoes things.\n",
      "| `--size <a\\|b>` | how large (default: a) |",
      "| [`go`](#tool-go) | go there |",
      "\n## tool go\n\nGo there.\n",
      "```text\nExample:\n  tool go home\n```",
      "| `where` | the place |",
      "```text\nIt is a note.\n```",
      "| 0 | Success. |",
    ]
  ) assert.ok(text.includes(part), `${part} in ${text}`);
  assert.ok(!text.includes("secret"), text);
});

Deno.test("differences() names a page that differs from its program", async () => {
  const page = { path: "docs/reference/none.md", text: programText(example(), []) };
  assert.deepEqual(await differences([page]), [
    'docs/reference/none.md differs from the program: run "deno task reference"',
  ]);
});

Deno.test("referencePages() has every command of teleport", async () => {
  const [{ text } = { text: "" }] = await referencePages();
  for (const name of ["register", "run", "stop", "logs", "can-i"]) assert.ok(text.includes(`\n## teleport ${name}\n`));
});

Deno.test("errorsText() has a row for each code", () => {
  assert.match(
    errorsText([["`A_CODE`", "NOT_FOUND", "Nothing is there."]]),
    /\| `A_CODE` \| NOT_FOUND \| Nothing is there. \|/,
  );
});

Deno.test({
  ...needing("mandoc", "manualPages() makes pages in which mandoc finds no fault"),
  async fn() {
    const pages = (await referencePages()).filter(({ path }) => path.startsWith("docs/man/"));
    assert.ok(pages.some(({ path }) => path === "docs/man/teleport-run.1"));
    assert.ok(pages.some(({ path }) => path === "docs/man/teleport-context-use.1"));
    await using temporary = await tempDir();
    const files = pages.map(({ path }) => `${temporary.path}/${path.slice("docs/man/".length)}`);
    await Promise.all(pages.map(({ text }, at) => Deno.writeTextFile(files[at]!, text)));
    const { stdout } = await new Deno.Command("mandoc", { args: ["-Tlint", "-W", "warning", ...files] }).output();
    assert.equal(new TextDecoder().decode(stdout), "");
  },
});
