/** Tests of the gate for plain English: what it reads, what it finds, and what it lets pass. */
import assert from "node:assert/strict";
import { checkFile, isIn } from "./prose.ts";
import { breachesOf } from "./prose_rules.ts";
import type { Prose } from "./prose_comment.ts";
import { proseOf } from "./prose_text.ts";

/** The words found in a comment. */
function found(text: string, kind: Prose["kind"] = "comment"): string[] {
  return breachesOf({ kind, line: 1, text, quotedValues: [] }).map((breach) => breach.found);
}

const read = (path: string, source: string) =>
  proseOf(path, source).map(({ kind, line, text }) => `${line} ${kind}: ${text}`);

/** Each line: a text to refuse, and the words it is refused for. */
const refused: [string, string][] = [
  ["The watcher is told of the end.", "told"],
  ["The job is taken up by the next server.", "taken up"],
  ["Jobs of an earlier life.", "earlier life"],
  ["All processes stand still.", "stand still"],
  ["It measures the two by turns.", "by turns"],
  ["The closing record has the digests.", "closing record"],
  ["It is written down first.", "written down"],
  ["It is\nwritten down first.", "written down"],
  ["The search goes on.", "goes on"],
  ["The watch begins anew.", "anew"],
  ["The file is mended.", "mended"],
  ["For whoever asks.", "whoever"],
  ["There is none that fits.", "none that"],
  ["Returns so many bytes.", "so many"],
  ["The value is no number.", "is no number"],
  ["Only that one may write.", "that one"],
  ["It waits, for it has no choice.", ", for it"],
  ["It waits, for the kernel gives no pid away.", ", for the kernel gives"],
  ["Of these, two remain.", "Of ..."],
  ["What remains is ended.", "What ..."],
  ["It ends. Who waits is notified.", "Who ..."],
  ["Where not, it fails.", "Where not ..."],
  ["That is all.", "That ..."],
  [`One ${"word ".repeat(24)}end.`, "One word word word ..."],
];

Deno.test("breachesOf() finds each banned phrase", () => {
  for (const [text, words] of refused) assert.deepEqual(found(text), [words], text);
});

/** Plain English that resembles a banned phrase. */
const allowed = [
  "There is no file.",
  "The job is no longer there.",
  "It waits for it.",
  "The output, for example, is raw.",
  "One value for the stream, for the watcher that is slow.",
  "The server runs behind a proxy.",
  "The reader falls behind.",
  "A start takes up to 10 ms.",
  "The message goes on the wire.",
  "What is a job?",
  "It shows what a job is.",
  `One ${"word ".repeat(23)}end. One ${"word ".repeat(23)}end.`,
];

Deno.test("breachesOf() finds nothing in plain English", () => {
  for (const text of allowed) assert.deepEqual(found(text), [], text);
});

Deno.test("breachesOf() finds numbers in quotes only in error texts", () => {
  assert.deepEqual(found(`It must be at most "10" bytes`, "error"), [`"10"`]);
  assert.deepEqual(found(`It must be at most "10" bytes`), []);
  assert.deepEqual(found(`Cannot read "10.0.0.1"`, "error"), []);
  const source = 'throw new Error(`Cannot take "${text}": it has "${text.length}" bytes, at most "${MAX_BYTES}"`);';
  assert.deepEqual(checkFile("worker/a.ts", source).map((line) => line.split(": ")[1]), [
    '"' + '"${text.length}"' + '"',
    '"' + '"${MAX_BYTES}"' + '"',
  ]);
  assert.equal(checkFile("bench/a.ts", 'throw new Error(`"${arrived}" bytes arrived of "${rounds + 1}"`);').length, 2);
});

Deno.test("breachesOf() accepts fragments in headings and cells", () => {
  assert.deepEqual(found("What it is", "heading"), []);
  assert.deepEqual(found("What it is", "cell"), []);
  assert.deepEqual(found("Told again", "cell"), ["Told"]);
});

Deno.test("breachesOf() names the line of the words", () => {
  const prose: Prose = { kind: "comment", line: 7, text: "One.\nTwo.\nOf three.", quotedValues: [] };
  assert.deepEqual(breachesOf(prose).map(({ line }) => line), [9]);
});

Deno.test("proseOf() reads the comments of TypeScript, and no code", () => {
  const source = [
    "/** The first. */",
    "const a = /\\/\\/ none/.test(b) ? 1 / 2 : 3 / 4; // The second.",
    'const c = "// no comment";',
    "// The third",
    "// and its end.",
    "const d = `${e /* The fourth. */ + `// ${f}`} // text`;",
    "/**",
    " * The `fifth`.",
    " *",
    " * - An item.",
    " * ```ts",
    " * // an example",
    " * ```",
    " * @param g The sixth.",
    " */",
  ].join("\n");
  assert.deepEqual(read("worker/a.ts", source), [
    "1 comment: The first.",
    "2 comment: The second.",
    "4 comment: The third\nand its end.",
    "6 comment: The fourth.",
    "8 comment: The CODE.",
    "10 comment: An item.",
    "14 comment: The sixth.",
  ]);
});

Deno.test("proseOf() reads error texts, help texts and sentences in strings", () => {
  const source = [
    'throw new JobError(`Cannot start "${id}": ` +',
    '  "the job has ended");',
    'program.option("--a <n>", "the number of a");',
    'const path = "/etc/passwd";',
    'const text = "a sentence of five words";',
    'const sql = "SELECT id FROM jobs WHERE state = 1";',
  ].join("\n");
  assert.deepEqual(read("worker/a.ts", source), [
    '1 error: Cannot start "VALUE": \nthe job has ended',
    "3 string: the number of a",
    "5 string: a sentence of five words",
  ]);
});

Deno.test("proseOf() reads the names of tests, and no other string of a test", () => {
  const source = [
    'Deno.test("a() does b", () => assert.equal(text, "one of these words"));',
    'Deno.test({ name: "a() does c", fn() {} });',
    'Deno.test(`a() does ${d}`, async (t) => await t.step("and e", run));',
  ].join("\n");
  assert.deepEqual(read("tests/a_test.ts", source), [
    "1 test name: a() does b",
    "2 test name: a() does c",
    "3 test name: a() does VALUE",
    "3 test name: and e",
  ]);
});

Deno.test("proseOf() reads strings of programs among the tests", () => {
  assert.deepEqual(read("tests/demo/a.ts", 'stage.print("The job has ended by now");'), [
    "1 string: The job has ended by now",
  ]);
});

Deno.test("proseOf() reads the comments of scripts and units, without examples", () => {
  const script = "#!/bin/sh\n# Builds it.\n#   a.sh build  makes it\n# Ends it.\necho '# no comment'\n";
  assert.deepEqual(read("tests/host/a.sh", script), ["2 comment: Builds it.", "4 comment: Ends it."]);
  assert.deepEqual(read("packaging/a.service", "[Service]\n# Restarts.\n"), ["2 comment: Restarts."]);
  assert.deepEqual(read("Dockerfile", "FROM a # b\n# Two.\n"), ["2 comment: Two."]);
});

Deno.test("proseOf() reads the descriptions of tasks", () => {
  assert.deepEqual(read("deno.json", '{\n  "description": "Run all tests",\n  "command": "run tests of all"\n}'), [
    "2 string: Run all tests",
  ]);
});

Deno.test("proseOf() reads paragraphs, items, headings and cells of Markdown, and no code", () => {
  const source = [
    "# A title",
    "",
    "A **text** with `code` and [a link](b.md).",
    "Its second line.",
    "```sh",
    "what goes on",
    "```",
    "1. An item",
    "",
    "| a | `b` |",
    "| - | --- |",
  ].join("\n");
  assert.deepEqual(read("docs/a.md", source).map((line) => line.trim()), [
    "1 heading: A title",
    "3 paragraph: A text with CODE and a link.\nIts second line.",
    "8 paragraph: An item",
    "10 cell:  a",
    "10 cell:  CODE",
  ]);
});

Deno.test("proseOf() reads the comments of a service definition", () => {
  const source = "// The job.\n// Its end.\nmessage Job { // a job\n  string id = 1; // The id.\n}";
  assert.deepEqual(read("proto/a.proto", source), [
    "1 comment: The job.\nIts end.",
    "3 comment: a job",
    "4 comment: The id.",
  ]);
});

Deno.test("isIn() matches files and whole folder names", () => {
  assert.ok(isIn("worker/job/job.ts", ["worker/job"]));
  assert.ok(isIn("worker/job/job.ts", ["./worker/job/"]));
  assert.ok(isIn("certs.ts", ["certs.ts"]));
  assert.ok(isIn("certs.ts", ["."]));
  assert.ok(!isIn("worker/jobs/job.ts", ["worker/job"]));
});
