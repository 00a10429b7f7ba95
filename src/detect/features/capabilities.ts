// What a request wants to get out of a model, as bits: abilities that are worth copying, told by words of many languages.
import { CAPABILITY, CAPABILITY_WORDS } from "./capability-words.ts";
import { Lexicon } from "./lexicon.ts";
import type { MaskedText } from "./text.ts";

/** Choices that follow each other at the beginnings of lines: an exam item, whatever its language. */
const CHOICES = ["a", "b", "c"] as const;

export class Capabilities {
  readonly #lexicon: Lexicon;
  readonly #choices: readonly number[];

  constructor(text: MaskedText) {
    this.#lexicon = new Lexicon(CAPABILITY_WORDS, text);
    this.#choices = CHOICES.map((letter) => text.read(letter).hashes[0] ?? 0);
  }

  /** Bits of one text. Pure. */
  of(read: MaskedText, plain: string): number {
    return this.#lexicon.find(read, plain) | (this.#hasChoices(read) ? CAPABILITY.exam : 0);
  }

  #hasChoices(read: MaskedText): boolean {
    const { lines } = read;
    for (let line = 0; line + 2 < lines.length; line += 1) {
      if (this.#choices.every((hash, place) => read.hashes[lines[line + place] ?? 0] === hash)) return true;
    }
    return false;
  }
}
