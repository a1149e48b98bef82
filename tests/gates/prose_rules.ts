/** The rules of plain English as code: the phrases not to use, each with the plain way to say it. */
import type { Prose } from "./prose_comment.ts";

/** One breach of a rule. */
export interface Breach {
  /** The line, from 1. */
  readonly line: number;
  /** The words found. */
  readonly found: string;
  /** The plain way to say it. */
  readonly advice: string;
}

/** Sentences may have this many words. */
const LONGEST_SENTENCE = 25;

/** A verb that shows that the words before it are a clause. */
const VERB =
  "(?:is|are|was|were|has|have|had|would|may|might|can|could|does|did|must|will|cannot|needs?|knows?|sees?|keeps?|stays?|comes?|gives?|takes?|makes?|holds?|names?|begins?|waits?|shows?|says?|lets?|gets?|goes|runs?|uses?|lacks?)";

/** The phrases. Add one here when you meet it in a review. */
const PHRASES: readonly (readonly [RegExp, string])[] = [
  [/\btold apart\b/i, "say 'distinguished'"],
  [/\btold\b(?! apart)/i, "say 'reports', 'notifies' or 'gets', with the subject first"],
  [/\b(?:take|takes|took|taken|taking) up\b(?! to\b)/i, "say 'recover', 'resume' or 'use'"],
  [
    /\b(?:earlier|next|previous|former|own|first|second|another|other|every|whole|one|last) (?:life|lives)\b/i,
    "say 'before the restart', 'after the restart' or 'the previous server'",
  ],
  [/\b(?:stands?|stood|standing) still\b/i, "say 'pauses' or 'is paused'"],
  [
    /\b(?:stands?|stood|standing) (?:in|at|there|here|beside|behind|under|before|open|alone|first|last)\b/i,
    "say 'is' or 'appears'",
  ],
  [/\b(?:writes?|wrote|written|writing)(?: \w+)? down\b/i, "say 'written', 'stored' or 'recorded'"],
  [/\b(?:goes|go|going|gone|went) on\b(?! (?:the wire|std\w+|disk)\b)/i, "say 'continues'"],
  [/\banew\b/i, "say 'again'"],
  [/\bmend(?:s|ed|ing)?\b/i, "say 'repair' or 'correct'"],
  [/\bwhoever\b/i, "name the subject: 'a client that', 'the user who'"],
  [/\bnone that\b/i, "say 'not one that', or turn the sentence round"],
  [/\bso many\b/i, "say 'that number of', or give the number"],
  [
    /(?<!\bthere )(?<!\bThere )\b(?:is|are|was|were) no (?!longer\b|more than\b|less than\b|later than\b|earlier than\b|different\b)\w+/i,
    "say 'is not a ...' or 'has no ...'",
  ],
  [/\b(?:is|are|was|were|be) no more \w+ed\b/i, "say 'no longer'"],
  [
    /\bthat one\b(?! (?:user|job|server|client|process|caller|call|watcher|stream|connection|file|thread|read)\b)/i,
    "repeat the noun",
  ],
  [/\bthat there (?:is|are|was|were)\b/i, "say 'that exists' or 'every'"],
  [/\bbeside\b/i, "say 'next to', 'in' or 'in addition to'"],
  [
    /(?<!\b(?:falls?|fell|fallen|falling|lags?|lagging|left|leaves?|stays?) (?:\w+ )?)\bbehind\b(?! (?:a|the|one|its|such a) (?:proxy|proxies|NAT|firewall|load|router|terminal))/i,
    "say 'after', 'past' or 'left after'",
  ],
  [/\bno way leads\b/i, "say 'no route'"],
  [/\b(?:it is|is it|are) looked\b/i, "name who looks: 'the scan looks'"],
  [/\b(?:whereof|thereof|therein|wherein|whereby|hitherto|henceforth|thence|whence|lest)\b/i, "use everyday words"],
  [/\bin vain\b/i, "say 'without success'"],
  [/\bby turns\b/i, "say 'alternately'"],
  [/\bclosing record\b/i, "say 'summary'"],
  [/\b(?:to be|is|are) let be\b/i, "say 'is left unchanged'"],
  [/\btells? more\b/i, "say 'shows more' or 'see'"],
  [
    /[,;:] for (?:it|they|he|she|we|you|there|nothing|nobody|none|this is|that is|these are|those are)\b/i,
    "say 'because'",
  ],
  [
    /\bfor (?:it|they|there|nobody|nothing) (?:is|are|was|were|has|have|had|would|may|might|can|could|does|did|must|will)\b/i,
    "say 'because'",
  ],
  [
    new RegExp(
      `[,;:] for (?:the|a|an|no|its|their|only|each|every|all|what) (?:(?!that|which|who|whose|in|of|example)\\w+ ){1,3}${VERB}\\b`,
      "i",
    ),
    "say 'because'",
  ],
];

/** How a sentence must not start. */
const BAD_START = /^["'(]*(Of|What|Who|Whom|Whose|Whoever|Whatever|Where not|That|Those who|Those that|Not that)\b/;

/** A number between quotes. */
const QUOTED_NUMBER = /(["'])\d+(?:[.,]\d+)?\1/;

/** An expression whose value is a number, by its name. */
const NUMBER_NAME =
  /(?:^|[.\s(])(?:length|size|count|bytes|arrived|max|min|pid|errno|exitCode|byteLength|total|millis|milliseconds|seconds|[A-Z_]*(?:MAX|MIN|LIMIT)[A-Z_]*)\)?$|[-+*/] ?\d+$/;

/** Full stops that do not end a sentence. */
const ABBREVIATION = /\b(?:e\.g|i\.e|etc|vs|cf|No|St|approx)\.$/;

/** The sentences of a text, each with its place. */
function sentences(text: string): { at: number; text: string }[] {
  const found: { at: number; text: string }[] = [];
  let start = 0;
  const add = (end: number) => {
    const raw = text.slice(start, end);
    const trimmed = raw.trimStart();
    if (trimmed.trim() !== "") found.push({ at: start + raw.length - trimmed.length, text: trimmed.trim() });
    start = end;
  };
  for (const match of text.matchAll(/[.!?]["')\]]*(?=\s+["'([]*[A-Z\d`])|\n\n/g)) {
    const end = match.index + match[0].length;
    if (!ABBREVIATION.test(text.slice(0, match.index + 1))) add(end);
  }
  add(text.length);
  return found;
}

/** Returns the breaches of one piece of prose, in the order of the text. */
export function breachesOf(prose: Prose): Breach[] {
  const { text, kind } = prose;
  const found: (Breach & { at: number })[] = [];
  const add = (at: number, words: string, advice: string) => {
    const line = prose.line + text.slice(0, at).split("\n").length - 1;
    found.push({ at, line, found: words.replace(/\s+/g, " "), advice });
  };
  for (const [phrase, advice] of PHRASES) {
    const everywhere = new RegExp(phrase.source.replace(/ /g, "\\s+"), phrase.flags + "g");
    for (const match of text.matchAll(everywhere)) {
      const isFound = found.some(({ at, found: words }) => at <= match.index && match.index < at + words.length);
      if (!isFound) add(match.index, match[0], advice);
    }
  }
  if (kind === "error") {
    const number = QUOTED_NUMBER.exec(text);
    if (number !== null) add(number.index, number[0], "write numbers without quotes");
    for (const value of prose.quotedValues) {
      if (NUMBER_NAME.test(value)) add(0, `"\${${value}}"`, "write numbers without quotes");
    }
  }
  if (kind === "cell" || kind === "heading") return found.sort((a, b) => a.at - b.at);
  for (const sentence of sentences(text)) {
    const start = BAD_START.exec(sentence.text)?.[1];
    if (start !== undefined && !sentence.text.endsWith("?")) {
      add(sentence.at, `${start} ...`, "start the sentence with its subject");
    }
    const words = sentence.text.split(/\s+/).filter((word) => /\w/.test(word));
    if (words.length > LONGEST_SENTENCE) {
      const opening = words.slice(0, 4).join(" ");
      add(sentence.at, `${opening} ...`, `split this sentence: ${words.length} words, at most ${LONGEST_SENTENCE}`);
    }
  }
  return found.sort((a, b) => a.at - b.at);
}
