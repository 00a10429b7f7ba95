// Cuts a prompt into the parts that templates leave behind: its masked words, its opening and its closing.

/** Longest stretch of a text that is read: templates sit at both ends, so both ends are kept. */
const READ_HEAD_CHARS = 2_400;
const READ_TAIL_CHARS = 800;
const READ_CHARS: number = READ_HEAD_CHARS + 1 + READ_TAIL_CHARS;
/** A longer first or last line is prose, not an instruction; only this many of its words count. */
const SEGMENT_WORDS = 24;
/** A segment of fewer words says too little to link anybody. */
const SEGMENT_MIN_WORDS = 3;
/** Words at either end that make up an affix; a text of fewer than twice as many has none. */
const AFFIX_WORDS = 5;
/** A quotation longer than this, or one over a line's end, is read as plain text. */
const QUOTE_MAX_CHARS = 400;

/** From here on characters are of scripts that set no spaces between words (kana, Han, Hangul). */
export const FIRST_UNSPACED = 0x3040;

const NUMBER_MARK = "<n>";
const QUOTE_MARK = "<quote>";
const CODE_MARK = "<code>";
const URL_MARK = "<url>";

/** Keeps the two ends of a text; whole if it is short. */
function ends(text: string): string {
  if (text.length <= READ_HEAD_CHARS + READ_TAIL_CHARS) return text;
  return `${text.slice(0, READ_HEAD_CHARS)}\n${text.slice(-READ_TAIL_CHARS)}`;
}

const KIND = { other: 0, letter: 1, digit: 2, space: 3 } as const;
type Kind = (typeof KIND)[keyof typeof KIND];

/** Kinds of the first 128 characters. */
const ASCII_KINDS: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => {
  if ((code >= 97 && code <= 122) || (code >= 65 && code <= 90)) return KIND.letter;
  if (code === 32 || code === 9 || code === 13) return KIND.space;
  return code >= 48 && code <= 57 ? KIND.digit : KIND.other;
});

function kindOf(code: number): Kind {
  return code < 128 ? (ASCII_KINDS[code] as Kind) : otherKindOf(code);
}

function otherKindOf(code: number): Kind {
  if (code === 0xa0) return KIND.space;
  // Punctuation of other scripts: general punctuation, CJK symbols, half- and full-width forms of ASCII marks.
  if (code < 0xc0 || (code >= 0x2000 && code < 0x2070) || (code >= 0x3000 && code < 0x3040))
    return KIND.other;
  if (code >= 0xff00 && code < 0xff21) return KIND.other;
  return KIND.letter;
}

/** Words `from` to `to` (exclusive) of a masked text; equal for none. */
export interface WordRange {
  readonly from: number;
  readonly to: number;
}

/** What a template leaves at the ends of a message: first and last line (or sentence), first and last words. */
export interface Affixes {
  readonly opening: WordRange;
  readonly closing: WordRange;
  readonly head: WordRange;
  readonly tail: WordRange;
}

const NOTHING: WordRange = { from: 0, to: 0 };

/**
 * Words of a text in lower case, with what varies inside a template (numbers, quotations, code blocks, addresses)
 * replaced by marks. Words lie one after the other in one array, a space between two, so that any run of them is
 * hashed without a string being made. An object is read into again and again: what is taken from it must be taken
 * before the next `read`.
 */
export class MaskedText {
  /** Words as UTF-8, half characters as three bytes of their own. */
  readonly bytes: Uint8Array = new Uint8Array(8 * READ_CHARS);
  /** For each word a 32-bit hash under the seed, not avalanched (FNV-1a over its UTF-16 units). */
  readonly hashes: Int32Array = new Int32Array(READ_CHARS);
  readonly #starts: Uint16Array = new Uint16Array(READ_CHARS);
  readonly #ends: Uint16Array = new Uint16Array(READ_CHARS);
  readonly #marks: ReadonlyMap<string, { readonly bytes: Uint8Array; readonly hash: number }>;
  readonly #basis: number;
  #lines: number[] = [];
  #sentences: number[] = [];
  #count = 0;
  #at = 0;
  #unspaced = 0;

  /** @param seed of the words' hashes */
  constructor(seed: number) {
    this.#basis = 0x811c9dc5 ^ seed;
    this.#marks = new Map(
      [NUMBER_MARK, QUOTE_MARK, CODE_MARK, URL_MARK].map((mark) => {
        let hash = this.#basis;
        for (let i = 0; i < mark.length; i += 1) hash = Math.imul(hash ^ mark.charCodeAt(i), 0x01000193);
        return [mark, { bytes: Buffer.from(mark), hash }];
      }),
    );
  }

  get count(): number {
    return this.#count;
  }

  /** Letters of scripts that set no spaces between words. */
  get unspaced(): number {
    return this.#unspaced;
  }

  /** Index of the word at which each line begins. */
  get lines(): readonly number[] {
    return this.#lines;
  }

  /** Reads the two ends of a text. One pass, linear in their length, whatever the text is. */
  read(text: string): this {
    const lower = ends(text).toLowerCase();
    this.#lines = [0];
    this.#sentences = [0];
    this.#count = 0;
    this.#at = 0;
    this.#unspaced = 0;
    const length = Math.min(lower.length, READ_CHARS);
    let at = 0;
    while (at < length) {
      const code = lower.charCodeAt(at);
      const kind = kindOf(code);
      if (kind === KIND.letter || kind === KIND.digit) {
        at = this.#takeWord(lower, at, length);
      } else if (code === 10) {
        mark(this.#lines, this.#count);
        at += 1;
      } else if (code === 34 || code === 0x201c || code === 0xab || code === 96) {
        at = this.#takeQuote(lower, at, code, length);
      } else {
        if (endsSentence(code, lower, at)) mark(this.#sentences, this.#count);
        at += 1;
      }
    }
    return this;
  }

  /** Where the words of a range lie in `bytes`. */
  bytesOf({ from, to }: WordRange): readonly [from: number, to: number] {
    return from >= to ? [0, 0] : [this.#starts[from] ?? 0, this.#ends[to - 1] ?? 0];
  }

  /** The words of a range (default: all), for people who read tests. */
  words({ from, to }: WordRange = { from: 0, to: this.#count }): string[] {
    const decoder = new TextDecoder();
    return Array.from({ length: to - from }, (_, index) =>
      decoder.decode(this.bytes.subarray(this.#starts[from + index], this.#ends[from + index])),
    );
  }

  affixes(): Affixes {
    const count = this.#count;
    const isInside = (start: number): boolean => start > 0 && start < count;
    const breaks = this.#lines.some(isInside) ? this.#lines : this.#sentences;
    const second = breaks.find(isInside) ?? count;
    const last = breaks.findLast(isInside) ?? count;
    const long = count >= 2 * AFFIX_WORDS;
    return {
      opening: segment(0, second),
      closing: segment(last, count),
      head: long ? { from: 0, to: AFFIX_WORDS } : NOTHING,
      tail: long ? { from: count - AFFIX_WORDS, to: count } : NOTHING,
    };
  }

  #takeWord(text: string, start: number, length: number): number {
    const begin = this.#begin();
    const { bytes } = this;
    let to = begin;
    let hash = this.#basis;
    let digits = false;
    let at = start;
    for (; at < length; at += 1) {
      const code = text.charCodeAt(at);
      const kind = kindOf(code);
      if (kind === KIND.digit) digits = true;
      else if (kind !== KIND.letter && !joinsDigits(text, at)) break;
      hash = Math.imul(hash ^ code, 0x01000193);
      if (code < 0x80) bytes[to++] = code;
      else if (code < 0x800) {
        bytes[to++] = 0xc0 | (code >> 6);
        bytes[to++] = 0x80 | (code & 0x3f);
      } else {
        if (code >= FIRST_UNSPACED) this.#unspaced += 1;
        bytes[to++] = 0xe0 | (code >> 12);
        bytes[to++] = 0x80 | ((code >> 6) & 0x3f);
        bytes[to++] = 0x80 | (code & 0x3f);
      }
    }
    if (text.charCodeAt(at) === 58 && text.startsWith("://", at)) {
      this.#takeMark(URL_MARK, begin);
      while (at < length && text.charCodeAt(at) > 32) at += 1;
    } else if (digits) this.#takeMark(NUMBER_MARK, begin);
    else this.#end(begin, to, hash);
    return at;
  }

  #takeQuote(text: string, at: number, code: number, length: number): number {
    if (code === 96 && text.startsWith("```", at)) {
      const end = text.indexOf("```", at + 3);
      this.#takeMark(CODE_MARK, this.#begin());
      return end < 0 ? length : end + 3;
    }
    const close = code === 0x201c ? 0x201d : code === 0xab ? 0xbb : code;
    const limit = Math.min(length, at + 2 + QUOTE_MAX_CHARS);
    for (let end = at + 1; end < limit; end += 1) {
      const found = text.charCodeAt(end);
      if (found === 10) break;
      if (found === close) {
        if (end > at + 1) this.#takeMark(QUOTE_MARK, this.#begin());
        return end + 1;
      }
    }
    return at + 1;
  }

  #takeMark(mark: string, begin: number): void {
    const known = this.#marks.get(mark);
    if (known === undefined) return;
    this.bytes.set(known.bytes, begin);
    this.#end(begin, begin + known.bytes.length, known.hash);
  }

  /** Where the next word's bytes begin: after a space, unless it is the first. */
  #begin(): number {
    if (this.#count === 0) return 0;
    this.bytes[this.#at] = 32;
    return this.#at + 1;
  }

  #end(from: number, to: number, hash: number): void {
    this.#starts[this.#count] = from;
    this.#ends[this.#count] = to;
    this.hashes[this.#count] = hash;
    this.#count += 1;
    this.#at = to;
  }
}

function mark(breaks: number[], index: number): void {
  if (breaks[breaks.length - 1] !== index) breaks.push(index);
}

function endsSentence(code: number, text: string, at: number): boolean {
  if (code === 0x3002 || code === 0xff1f || code === 0xff01) return true;
  if (code !== 46 && code !== 63 && code !== 33) return false;
  return at + 1 >= text.length || kindOf(text.charCodeAt(at + 1)) === KIND.space;
}

/** A point, comma or colon between digits belongs to the number. */
function joinsDigits(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if ((code !== 46 && code !== 44 && code !== 58) || at === 0 || at + 1 >= text.length) return false;
  return kindOf(text.charCodeAt(at - 1)) === KIND.digit && kindOf(text.charCodeAt(at + 1)) === KIND.digit;
}

function segment(from: number, to: number): WordRange {
  return to - from < SEGMENT_MIN_WORDS ? NOTHING : { from, to: Math.min(to, from + SEGMENT_WORDS) };
}
