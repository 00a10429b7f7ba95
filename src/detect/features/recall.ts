// What a request leaves that asks for a known text's missing part: blanks with their surroundings, a cut end, the asking.
import { type KeyedHash, NO_HASH } from "./keyed-hash.ts";

/** Blanks of one message that are kept. */
const MAX_BLANKS = 4;
/** Characters of a message that are read for blanks. */
const READ_CHARS = 6_000;
/** Characters beside a blank whose words make its surroundings, and how many of those words. */
const BESIDE_CHARS = 60;
const BESIDE_WORDS = 3;

/** A place left open: `[MASK]`, `<blank>`, `{{gap}}`, `<extra_id_0>`, a line of underscores. Not a name's template slot. */
const BLANK =
  /[[<({]{1,2}\s?\/?(?:mask(?:ed)?|blank|gap|missing|redacted|hole|extra_id_\d+|\?{1,3}|_+)\s?[\])>}]{1,2}|_{3,}/gi;
const MAYBE_BLANK = /[[<({]\s?\/?[a-z?_]|__/i;

/**
 * Keyed hashes of what stands beside each blank, at most four. A template's own mention of a blank has the same
 * surroundings in each request; a blank in a passage has those of the passage. Empty for most texts.
 */
export function blanksOf(text: string, hasher: KeyedHash): bigint[] {
  if (!MAYBE_BLANK.test(text)) return [];
  const read = text.slice(-READ_CHARS);
  const found = new Set<bigint>();
  for (const match of read.matchAll(BLANK)) {
    const before = wordsIn(read.slice(Math.max(0, match.index - BESIDE_CHARS), match.index));
    const end = match.index + match[0].length;
    const after = wordsIn(read.slice(end, end + BESIDE_CHARS));
    const beside = `${before.slice(-BESIDE_WORDS).join(" ")}\u0001${after.slice(0, BESIDE_WORDS).join(" ")}`;
    if (beside !== "\u0001") found.add(hasher.of("blank", beside));
    if (found.size === MAX_BLANKS) break;
  }
  found.delete(NO_HASH);
  return [...found];
}

function wordsIn(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Bits of `recall`: prose that breaks off; a request to go on with a text or to say it by heart. */
export const CUT_BIT = 1;
export const CUE_BIT = 2;

/** Characters at either end of a message, and of a system prompt, in which the asking is looked for. */
const CUE_CHARS = 120;
/** Characters at the end of a message that must be prose, the least share of letters and spaces, and the least words. */
const PROSE_CHARS = 160;
const PROSE_SHARE = 0.93;
const PROSE_WORDS = 12;

/** English, Spanish, Portuguese, Italian, French, German, Dutch, Russian, Turkish, Vietnamese; then Chinese, Japanese, Korean. */
const CUE = new RegExp(
  [
    "\\b(?:continu(?:e|ez|er|a|ar|are)|contin[uú]a|continuation|complete|completa|compl[eé]te[zr]?|finish|go on from)\\b",
    "\\b(?:what comes next|next (?:word|sentence|line|token|passage|paragraph)s?|verbatim|word[ -]for[ -]word|recite|from memory|by heart)\\b",
    "\\b(?:literalmente|palabra por palabra|palavra por palavra|parola per parola|mot (?:pour|[àa]) mot|r[eé]cite[zr]?|de memoria)\\b",
    "\\b(?:setze?n? (?:den|diesen|die) .{0,24}fort|fortsetz|vervollst[äa]ndig|erg[äa]nze|w[öo]rtlich|wort f[üu]r wort|woordelijk|vervolg)",
    "продолж|дополни|дословно|слово в слово|наизусть|devam et|tamamla|ezbere|ti[ếe]p t[ụu]c",
    "继续|續寫|续写|接着写|补全|補全|逐字|背诵|背誦|続き|続け|一字一句|暗唱|이어서|계속|완성",
  ].join("|"),
  "i",
);

/** Bits above. `asked` is the last user message, `system` the system prompt. */
export function recallBits(asked: string, system: string): number {
  const text = asked.trimEnd();
  const cue = CUE.test(`${edges(text)}\n${edges(system)}`) ? CUE_BIT : 0;
  return cue | (isCut(text) ? CUT_BIT : 0);
}

/** Keyed hash of the last three words of a text that breaks off, or none: of a template they are always the same. */
export function endingOf(asked: string, hasher: KeyedHash): bigint {
  const text = asked.trimEnd();
  if (!isCut(text)) return NO_HASH;
  return hasher.of("ending", wordsIn(text.slice(-BESIDE_CHARS)).slice(-BESIDE_WORDS).join(" "));
}

function edges(text: string): string {
  return text.length <= 2 * CUE_CHARS ? text : `${text.slice(0, CUE_CHARS)}\n${text.slice(-CUE_CHARS)}`;
}

/** True for prose whose last sentence has no end. */
function isCut(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  const open = isLetter(last) || last === 0x2c || last === 0x3b || last === 0x2d;
  if (!open || text.length < PROSE_CHARS / 2) return false;
  const tail = text.slice(-PROSE_CHARS);
  let [prose, spaces] = [0, 0];
  for (let i = 0; i < tail.length; i += 1) {
    const code = tail.charCodeAt(i);
    if (code === 32) spaces += 1;
    else if (isLetter(code)) prose += 1;
  }
  return spaces >= PROSE_WORDS && (prose + spaces) / tail.length >= PROSE_SHARE;
}

function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code >= 0xc0;
}
