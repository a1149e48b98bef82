/** The formats of `--output`. */
import assert from "node:assert/strict";
import { parse, parseAllDocuments } from "yaml";
import { loadEncoder } from "../../../cli/print/encoder.ts";
import { parseFormat } from "../../../cli/print/format.ts";
import { UsageError } from "../../../units/usage_error.ts";

async function encoded(format: string, ...values: unknown[]): Promise<string> {
  const encode = await loadEncoder(parseFormat(format));
  assert.ok(encode !== undefined);
  return values.map(encode).join("");
}

Deno.test("parseFormat() names the formats when it refuses one", () => {
  for (const text of ["", "xml", "JSON", "template", "toString"]) {
    assert.throws(() => parseFormat(text), {
      name: "UsageError",
      message: `Unknown format "${text}" for --output: give "text", "wide", "json", "yaml", "name" or "template=TEXT"`,
    });
  }
});

Deno.test("the format json is one line for each value", async () => {
  assert.equal(
    await encoded("json", { id: "a\x1b" }, { b: [1, true, null] }),
    '{"id":"a\\u001b"}\n{"b":[1,true,null]}\n',
  );
});

Deno.test("the format yaml is one document for each value, and loses nothing", async () => {
  const values = [
    {
      id: "01",
      text: "a: b",
      long: "word ".repeat(50),
      lines: "one\ntwo\r\n",
      labels: { "\x1b[2J": "\u202e!" },
      n: 1.5,
    },
    { yes: "yes", no: "no", nul: "null", number: "0x10", list: ["- a", "", " b "], tilde: "~", date: "2026-01-31" },
    { __proto__: null, lone: "\ud800" },
  ];
  const text = await encoded("yaml", ...values);
  for (const unsafe of ["\x1b", "\u202e", "\r"]) assert.ok(!text.includes(unsafe));
  assert.deepEqual(parseAllDocuments(text).map((document) => document.toJS()), values.map((value) => ({ ...value })));
  assert.equal(await encoded("yaml", { id: "job-1", exit_code: 0 }), "id: job-1\nexit_code: 0\n");
  assert.deepEqual(parse(await encoded("yaml", { a: "no" })), { a: "no" });
});

Deno.test("the format name is the name of a job, else its id, else the user", async () => {
  assert.equal(
    await encoded("name", { id: "1", name: "web" }, { id: "2", name: "" }, { kind: "KNOWN", job: { id: "3" } }, {
      user: "a\x1b",
    }),
    "web\n2\n3\na\\u001b\n",
  );
  await assert.rejects(encoded("name", { version: "1" }), UsageError);
});

Deno.test("a template fills in fields, sections and lists, without HTML", async () => {
  const job = { id: "<1>", labels: { a: "b&c" }, args: ["x", "y"], exit_code: 0, paused: true };
  assert.equal(
    await encoded("template={{id}} {{labels.a}}{{#args}} [{{.}}]{{/args}} {{exit_code}}{{^none}} none{{/none}}", job),
    "<1> b&c [x] [y] 0 none\n",
  );
});

Deno.test("a template makes texts safe for a terminal", async () => {
  assert.equal(await encoded("template={{a}} {{{a}}} {{&a}}", { a: "\x1b[2J" }), "\\x1b[2J \\x1b[2J \\x1b[2J\n");
});

Deno.test("a template runs no code and reads no file", async () => {
  const refused = [
    "{{constructor}}",
    "{{#id.constructor.constructor}}Deno.exit(9){{/id.constructor.constructor}}",
    "{{#args}}{{__proto__.x}}{{/args}}",
    "{{> /etc/passwd}}",
    "{{id",
    "{{#a}}",
    "{{/a}}",
    "",
  ];
  for (const template of refused) {
    await assert.rejects(encoded(`template=${template}`, { id: "1", args: [] }), UsageError, template);
  }
  assert.equal(await encoded("template=[{{toString}}{{hasOwnProperty}}]", { id: "1" }), "[]\n");
});
