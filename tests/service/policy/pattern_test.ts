/** Patterns of a policy: they match like JavaScript, in linear time. */
import assert from "node:assert/strict";
import { decideRegister } from "../../../service/policy/policy.ts";
import { Pattern } from "../../../service/policy/pattern.ts";
import { parsePolicy } from "../../../service/policy/file.ts";
import { cpuMs } from "../../support/cpu_time.ts";
import { Random, seedFor } from "../../support/random.ts";
import type { JobRequest } from "../../../proto/teleport/v1/job_worker.ts";

/** Patterns that take a backtracking engine very long, each with a text for that. */
const EVIL: readonly [source: string, text: string][] = [
  ["([a-z]+)*", "a".repeat(100_000) + "!"],
  ["(a|aa)+", "a".repeat(100_000) + "!"],
  ["(.*a){20}", "a".repeat(100_000) + "b"],
  ["(x+x+)+y", "x".repeat(100_000)],
  ["(a*)*b", "a".repeat(100_000)],
  ["([\\w-]+\\.?)+@x", "a".repeat(100_000)],
  ["(\\p{L}+)*", "é".repeat(100_000) + "1"],
];

Deno.test("Pattern.matches() takes linear time for hostile texts", () => {
  for (const [source, text] of EVIL) {
    const pattern = new Pattern(source);
    const start = cpuMs();
    assert.equal(pattern.matches(text), false, source);
    const tookMs = cpuMs() - start;
    // Measured: 1 to 10 ms.
    assert.ok(tookMs < 2_000, `${source}: ${tookMs} ms`);
  }
});

Deno.test("Pattern.matches() agrees with JavaScript for the whole text", () => {
  const sources = [
    "-j[0-9]{1,2}",
    "all|test|clean",
    "/srv/build/[a-z0-9-]+",
    "v[0-9]+\\.[0-9]+",
    "a.b",
    "[^/]*",
    "(?:ab|c)?d*",
    "(?<n>a+)b",
    "\\d+|\\w+|\\W",
    "\\u00e9|\\x41|\\t",
    "[\\w.-]+",
    "\\p{Lu}\\p{Ll}*",
    ".",
    "",
    "a$|^b",
    "a{0,3}?b",
    // RE2 alone reads these in another way, or refuses them.
    "[[:lower:][a]",
    "[^[:lower:]",
    "[[]a",
    "\\[[a[]\\]",
    "[\\b]",
    "[^\\b]",
    "[]a[b]",
    "[^]a[b]",
    "\\ud83d\\ude00",
    "[^\\ud83d\\ude00]",
    "\\\\ud83d",
  ];
  const seed = seedFor("pattern_test");
  const random = new Random(seed);
  const alphabet = [..."-jab0129/.[]:\b\\vcdltes AZé\n\t_z\u{1f600}"];
  for (const source of sources) {
    const pattern = new Pattern(source);
    const own = new RegExp(`^(?:${source})$`, "us");
    for (let count = 0; count < 3_000; count++) {
      const text = Array.from({ length: random.below(6) }, () => alphabet[random.below(alphabet.length)]).join("");
      assert.equal(pattern.matches(text), own.test(text), `seed ${seed}: ${source} and ${JSON.stringify(text)}`);
    }
  }
});

Deno.test("Pattern refuses look-around, back-references and syntax that JavaScript does not have", () => {
  for (
    const source of [
      "(a)\\1",
      "(?=a)b",
      "(?!a)b",
      "(?<=a)b",
      "(?<!a)b",
      "a{1,2000}",
      "a)|(b",
      "(",
      "(?i)a",
      "\\Aa",
      "\\Qa\\E",
    ]
  ) {
    assert.throws(() => new Pattern(source), Error, source);
  }
});

/** A role that may register `/bin/x` with these arguments. */
function policyOf(args: readonly string[]) {
  const commands = [{ path: "/bin/x", args }];
  return parsePolicy(JSON.stringify({ roles: { r: [{ calls: ["all"], jobs: "own", commands }] } }));
}

function decide(args: readonly string[], given: readonly string[]) {
  const request = { command: "/bin/x", args: given, env: {}, cwd: "", template: "", labels: {} };
  return decideRegister(policyOf(args), { user: "ann", roles: ["r"] }, request as unknown as JobRequest);
}

Deno.test("decideRegister() decides on the worst documented pattern at once, with arguments of any length", () => {
  const start = cpuMs();
  const allows = (...given: string[]) => decide(["([a-z]+)*", "..."], given).allowed;
  assert.equal(allows("a".repeat(28) + "!"), false);
  assert.equal(allows("a".repeat(500_000)), true);
  assert.equal(allows("a".repeat(500_000) + "!"), false);
  assert.equal(allows(...Array.from({ length: 400 }, () => "a".repeat(1_000))), true);
  assert.ok(cpuMs() - start < 2_000, `${cpuMs() - start} ms`);
});

Deno.test("decideRegister() denies a text that a pattern with large counts cannot match in half a second", () => {
  const start = cpuMs();
  const decision = decide(["[ab]*a[ab]{999}"], ["ab".repeat(500_000)]);
  assert.equal(decision.allowed, false);
  assert.match(decision.rule, /arguments that are too long for the patterns of "\/bin\/x"/);
  assert.ok(cpuMs() - start < 2_000);
});
