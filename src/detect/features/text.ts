// Cuts a prompt into the parts that templates leave behind: its masked words, its opening and its closing.

/** Longest stretch of a text that is read: templates sit at both ends, so both ends are kept. */
const READ_HEAD_CHARS = 2_400;
const READ_TAIL_CHARS = 800;
/** A longer first or last line is prose, not an instruction; only this many of its words count. */
const SEGMENT_WORDS = 24;
/** A segment of fewer words says too little to link anybody. */
const SEGMENT_MIN_WORDS = 3;
/** Words at either end that make up an affix; a text of fewer than twice as many has none. */
const AFFIX_WORDS = 5;
/** A quotation longer than this, or one over a line's end, is read as plain text. */
const QUOTE_MAX_CHARS = 400;

export const NUMBER_MARK = "<n>";
export const QUOTE_MARK = "<quote>";
export const CODE_MARK = "<code>";
export const URL_MARK = "<url>";

/** A text as masked words; `breaks` holds the word index at which each new line (or sentence) begins. */
export interface Words {
  readonly words: readonly string[];
  readonly lines: readonly number[];
  readonly sentences: readonly number[];
}

/** Keeps the two ends of a text; whole if it is short. */
export function ends(text: string): string {
  if (text.length <= READ_HEAD_CHARS + READ_TAIL_CHARS) return text;
  return `${text.slice(0, READ_HEAD_CHARS)}\n${text.slice(-READ_TAIL_CHARS)}`;
}

const KIND = { other: 0, letter: 1, digit: 2, space: 3 } as const;
type Kind = (typeof KIND)[keyof typeof KIND];

function kindOf(code: number): Kind {
  if (code >= 97 && code <= 122) return KIND.letter;
  if (code === 32 || code === 9 || code === 13) return KIND.space;
  if (code >= 48 && code <= 57) return KIND.digit;
  if (code < 128) return code >= 65 && code <= 90 ? KIND.letter : KIND.other;
  if (code === 0xa0) return KIND.space;
  // Punctuation of other scripts: general punctuation, CJK symbols, half- and full-width forms of ASCII marks.
  if (code < 0xc0 || (code >= 0x2000 && code < 0x2070) || (code >= 0x3000 && code < 0x3040))
    return KIND.other;
  if (code >= 0xff00 && code < 0xff21) return KIND.other;
  return KIND.letter;
}

/**
 * Words of a text in lower case, with what varies inside a template (numbers, quotations, code blocks, addresses)
 * replaced by marks. One pass, linear in the length of the text, whatever the text is.
 */
export function wordsOf(text: string): Words {
  const lower = text.toLowerCase();
  const words: string[] = [];
  const lines: number[] = [0];
  const sentences: number[] = [0];
  let at = 0;
  while (at < lower.length) {
    const code = lower.charCodeAt(at);
    const kind = kindOf(code);
    if (kind === KIND.letter || kind === KIND.digit) {
      at = takeWord(lower, at, words);
    } else if (code === 10) {
      mark(lines, words.length);
      at += 1;
    } else if (code === 34 || code === 0x201c || code === 0xab || code === 96) {
      at = takeQuote(lower, at, code, words);
    } else {
      if (endsSentence(code, lower, at)) mark(sentences, words.length);
      at += 1;
    }
  }
  return { words, lines, sentences };
}

function mark(breaks: number[], index: number): void {
  if (breaks.at(-1) !== index) breaks.push(index);
}

function endsSentence(code: number, text: string, at: number): boolean {
  if (code === 0x3002 || code === 0xff1f || code === 0xff01) return true;
  if (code !== 46 && code !== 63 && code !== 33) return false;
  return at + 1 >= text.length || kindOf(text.charCodeAt(at + 1)) === KIND.space;
}

function takeWord(text: string, start: number, words: string[]): number {
  let at = start;
  let digits = 0;
  while (at < text.length) {
    const kind = kindOf(text.charCodeAt(at));
    if (kind === KIND.digit) digits += 1;
    else if (kind !== KIND.letter && !joinsDigits(text, at)) break;
    at += 1;
  }
  if (text.startsWith("://", at)) {
    words.push(URL_MARK);
    while (at < text.length && text.charCodeAt(at) > 32) at += 1;
    return at;
  }
  words.push(digits > 0 ? NUMBER_MARK : text.slice(start, at));
  return at;
}

/** A point, comma or colon between digits belongs to the number. */
function joinsDigits(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if ((code !== 46 && code !== 44 && code !== 58) || at === 0 || at + 1 >= text.length) return false;
  return kindOf(text.charCodeAt(at - 1)) === KIND.digit && kindOf(text.charCodeAt(at + 1)) === KIND.digit;
}

function takeQuote(text: string, at: number, code: number, words: string[]): number {
  if (code === 96 && text.startsWith("```", at)) {
    const end = text.indexOf("```", at + 3);
    words.push(CODE_MARK);
    return end < 0 ? text.length : end + 3;
  }
  const close = code === 0x201c ? 0x201d : code === 0xab ? 0xbb : code;
  const limit = Math.min(text.length, at + 2 + QUOTE_MAX_CHARS);
  for (let end = at + 1; end < limit; end += 1) {
    const found = text.charCodeAt(end);
    if (found === 10) break;
    if (found === close) {
      if (end > at + 1) words.push(QUOTE_MARK);
      return end + 1;
    }
  }
  return at + 1;
}

/** What a template leaves at the ends of a message: first and last line (or sentence), first and last words. */
export interface Affixes {
  readonly opening: string;
  readonly closing: string;
  readonly head: string;
  readonly tail: string;
}

export function affixesOf(text: Words): Affixes {
  const { words } = text;
  const breaks = text.lines.some((start) => start > 0 && start < words.length) ? text.lines : text.sentences;
  const starts = breaks.filter((start) => start < words.length);
  const second = starts[1] ?? words.length;
  const last = starts.length > 1 ? (starts.at(-1) ?? 0) : words.length;
  const long = words.length >= 2 * AFFIX_WORDS;
  return {
    opening: segment(words.slice(0, second)),
    closing: segment(words.slice(last)),
    head: long ? words.slice(0, AFFIX_WORDS).join(" ") : "",
    tail: long ? words.slice(-AFFIX_WORDS).join(" ") : "",
  };
}

function segment(words: readonly string[]): string {
  return words.length < SEGMENT_MIN_WORDS ? "" : words.slice(0, SEGMENT_WORDS).join(" ");
}
