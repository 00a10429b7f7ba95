// A guess at the script and the language of a text: told by its letters, and by the small words that no text goes without.
import type { MaskedText } from "./text.ts";

/** ISO 15924 of scripts that are told apart, with the ranges of their UTF-16 units. Han alone is Chinese, with kana Japanese. */
const SCRIPTS: readonly (readonly [code: string, from: number, to: number])[] = [
  ["Latn", 0x41, 0x24f],
  ["Grek", 0x370, 0x3ff],
  ["Cyrl", 0x400, 0x52f],
  ["Armn", 0x530, 0x58f],
  ["Hebr", 0x590, 0x5ff],
  ["Arab", 0x600, 0x77f],
  ["Deva", 0x900, 0x97f],
  ["Beng", 0x980, 0x9ff],
  ["Taml", 0xb80, 0xbff],
  ["Thai", 0xe00, 0xe7f],
  ["Geor", 0x10a0, 0x10ff],
  ["Latn", 0x1e00, 0x1eff],
  ["Jpan", 0x3040, 0x30ff],
  ["Hans", 0x3400, 0x9fff],
  ["Kore", 0xac00, 0xd7af],
];

/** Languages that a script stands for where no small word says otherwise. */
const OF_SCRIPT: Readonly<Record<string, string>> = {
  ...{ Grek: "el", Cyrl: "ru", Armn: "hy", Hebr: "he", Arab: "ar", Deva: "hi", Beng: "bn", Taml: "ta" },
  ...{ Thai: "th", Geor: "ka", Jpan: "ja", Hans: "zh", Kore: "ko" },
};

/** Small words that occur in one of these languages and hardly in another. */
const SMALL_WORDS: Readonly<Record<string, string>> = {
  en: "the and of is that it for you with are this be have from what which how would should there their",
  es: "el los las que y en una por con para es como está pero más qué cómo del al su lo",
  pt: "o os um uma que e em não para com é como mais você são do da dos das ao isso",
  fr: "le les des et une est que qui dans pour pas sur avec vous nous ce cette au aux sont quel",
  de: "der die das und ist nicht ein eine zu den mit von für auf dem wie im sich auch es werden",
  it: "il lo gli che di un una è per non con sono del della nel come più questo questa anche",
  nl: "het een van en is dat niet te op voor met zijn aan er maar ook als bij naar deze",
  pl: "i w na nie się że jest do to z jak co dla są czy oraz przez lub od po",
  tr: "ve bir bu için ile ne da de mi gibi daha çok olan olarak nasıl nedir var kadar",
  id: "yang dan di itu dengan untuk tidak ini dari dalam akan pada adalah bagaimana apa atau",
  vi: "là của và các có không được cho trong một những với này để người như thế nào",
  ru: "и в не на что с как это по для но из от за или если чтобы какой",
  uk: "і та що не на як це для або від з у є чи якщо які",
  fa: "و در به از که این را با است برای آن چه",
  ar: "في من على أن إلى ما هذا هو التي مع عن كيف",
};

/** Words that are read, and letters. */
const READ_WORDS = 120;
const READ_CHARS = 400;
/** Votes that a language needs. */
const MIN_VOTES = 2;

export interface LanguageGuess {
  /** ISO 15924, "" for a text without letters. */
  readonly script: string;
  /** ISO 639-1, "" where nothing was certain enough. */
  readonly language: string;
}

export class Languages {
  readonly #codes: readonly string[] = Object.keys(SMALL_WORDS);
  /** Languages by the hash of a small word, as bits. */
  readonly #words = new Map<number, number>();

  /** @param text which makes the word hashes; it is used up. */
  constructor(text: MaskedText) {
    this.#codes.forEach((code, language) => {
      text.read(SMALL_WORDS[code] ?? "");
      for (const hash of text.hashes.subarray(0, text.count))
        this.#words.set(hash, (this.#words.get(hash) ?? 0) | (1 << language));
    });
  }

  /** Pure. @param read the masked words. @param plain the same text, as it is */
  of(read: MaskedText, plain: string): LanguageGuess {
    const script = scriptOf(plain);
    if (script === "") return { script, language: "" };
    const votes = new Uint16Array(this.#codes.length);
    const count = Math.min(read.count, READ_WORDS);
    for (let at = 0; at < count; at += 1) {
      for (let bits = this.#words.get(read.hashes[at] as number) ?? 0; bits !== 0; bits &= bits - 1) {
        const language = 31 - Math.clz32(bits & -bits);
        votes[language] = (votes[language] ?? 0) + 1;
      }
    }
    const most = Math.max(...votes);
    const first = votes.indexOf(most);
    const sure = most >= MIN_VOTES && votes.lastIndexOf(most) === first;
    return { script, language: sure ? (this.#codes[first] ?? "") : (OF_SCRIPT[script] ?? "") };
  }
}

/** The script of most letters among the first ones. Japanese shows itself by a fifth of kana. */
function scriptOf(plain: string): string {
  const counts = new Map<string, number>();
  const length = Math.min(plain.length, READ_CHARS);
  let latin = 0;
  for (let at = 0; at < length; at += 1) {
    const code = plain.charCodeAt(at);
    if (code < 0x80) {
      if ((code >= 65 && code <= 90) || (code >= 97 && code <= 122)) latin += 1;
      continue;
    }
    const script = SCRIPTS.find(([, from, to]) => code >= from && code <= to)?.[0];
    if (script !== undefined) counts.set(script, (counts.get(script) ?? 0) + 1);
  }
  counts.set("Latn", (counts.get("Latn") ?? 0) + latin);
  const kana = counts.get("Jpan") ?? 0;
  const han = counts.get("Hans") ?? 0;
  if (kana * 5 >= han && kana > 0) counts.set("Jpan", kana + han);
  let best = "";
  for (const [script, count] of counts) if (count > (counts.get(best) ?? 0)) best = script;
  return best;
}
