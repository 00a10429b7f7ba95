// Finds phrases of weighted word lists in masked texts: in languages with spaces word by word, in others as they stand.
import { FIRST_UNSPACED, type MaskedText } from "./text.ts";

/** What phrases of one list stand for, and how much each says: a list speaks when its phrases reach 1 together. */
export interface WordList {
  readonly bit: number;
  /** Each alone is enough. Words separated by single spaces; texts in scripts without spaces as they are. */
  readonly sure: readonly string[];
  /** Two different ones are enough. */
  readonly hints: readonly string[];
}

/** Words of a text that are compared. */
const READ_WORDS = 400;

interface Phrase {
  /** Hashes of its words after the first. */
  readonly rest: readonly number[];
  readonly list: number;
  readonly weight: number;
}

/** Word lists under one seed of word hashes. */
export class Lexicon {
  readonly #lists: readonly WordList[];
  /** Phrases by the hash of their first word. */
  readonly #spaced = new Map<number, Phrase[]>();
  readonly #unspaced: readonly { readonly text: string; readonly list: number; readonly weight: number }[];

  /** @param text which makes the word hashes; it is used up. */
  constructor(lists: readonly WordList[], text: MaskedText) {
    this.#lists = lists;
    const unspaced: { text: string; list: number; weight: number }[] = [];
    lists.forEach(({ sure, hints }, list) => {
      for (const [phrases, weight] of [
        [sure, 1],
        [hints, 0.5],
      ] as const) {
        for (const phrase of phrases) {
          if (phrase.charCodeAt(0) >= FIRST_UNSPACED) unspaced.push({ text: phrase, list, weight });
          else this.#add(text.read(phrase), { list, weight });
        }
      }
    });
    this.#unspaced = unspaced;
  }

  /** Bits of the lists that speak. @param read the masked words. @param plain the same text, as it is; read if unspaced */
  find(read: MaskedText, plain: string): number {
    const sums = new Float64Array(this.#lists.length);
    const seen = new Set<Phrase>();
    const count = Math.min(read.count, READ_WORDS);
    for (let at = 0; at < count; at += 1) {
      const phrases = this.#spaced.get(read.hashes[at] as number);
      if (phrases === undefined) continue;
      for (const phrase of phrases) {
        if (seen.has(phrase) || !followsAt(read, at + 1, phrase.rest)) continue;
        seen.add(phrase);
        sums[phrase.list] = (sums[phrase.list] ?? 0) + phrase.weight;
      }
    }
    if (read.unspaced > 0) {
      for (const { text, list, weight } of this.#unspaced)
        if (plain.includes(text)) sums[list] = (sums[list] ?? 0) + weight;
    }
    return this.#lists.reduce((bits, { bit }, list) => ((sums[list] ?? 0) >= 1 ? bits | bit : bits), 0);
  }

  #add(text: MaskedText, { list, weight }: { readonly list: number; readonly weight: number }): void {
    const [first, ...rest] = text.hashes.subarray(0, text.count);
    if (first === undefined) return;
    const known = this.#spaced.get(first);
    if (known === undefined) this.#spaced.set(first, [{ rest, list, weight }]);
    else known.push({ rest, list, weight });
  }
}

function followsAt(read: MaskedText, at: number, rest: readonly number[]): boolean {
  for (let place = 0; place < rest.length; place += 1) {
    if (at + place >= read.count || read.hashes[at + place] !== rest[place]) return false;
  }
  return true;
}
