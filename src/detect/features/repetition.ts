// How often one word is said in a row: a model made to repeat itself may fall out of its training into its data.

/** Characters that are read. A run that begins later is not seen; probes begin at once. */
const READ_CHARS = 8_000;
const MAX_RUN = 65_535;

/**
 * Length of the longest run of equal words, 0 for a text without words. Words are what stands between white space,
 * compared in lower case without punctuation at their ends. One pass, linear in the characters read, without a string
 * for each word.
 */
export function longestRun(text: string): number {
  const lower = text.slice(0, READ_CHARS).toLowerCase();
  const { length } = lower;
  let [longest, run] = [0, 0];
  let [lastFrom, lastLength] = [0, -1];
  let at = 0;
  while (at < length) {
    while (at < length && isSpace(lower.charCodeAt(at))) at += 1;
    let from = at;
    while (at < length && !isSpace(lower.charCodeAt(at))) at += 1;
    let to = at;
    while (from < to && isPunctuation(lower.charCodeAt(from))) from += 1;
    while (to > from && isPunctuation(lower.charCodeAt(to - 1))) to -= 1;
    if (from === to) continue;
    run = to - from === lastLength && isEqual(lower, lastFrom, from, lastLength) ? run + 1 : 1;
    lastFrom = from;
    lastLength = to - from;
    if (run > longest) longest = run;
  }
  return Math.min(longest, MAX_RUN);
}

function isEqual(text: string, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i += 1) if (text.charCodeAt(a + i) !== text.charCodeAt(b + i)) return false;
  return true;
}

/** What `\\s` of a regular expression takes for white space. */
function isSpace(code: number): boolean {
  if (code < 128) return code === 32 || (code >= 9 && code <= 13);
  if (code < 0x2000) return code === 0xa0 || code === 0x1680;
  return (
    code <= 0x200a ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000 ||
    code === 0xfeff
  );
}

/** Punctuation by Unicode's general category, of the first 128 characters: what stands in \p{P}. */
const ASCII_PUNCTUATION: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) =>
  /\p{P}/u.test(String.fromCharCode(code)) ? 1 : 0,
);

function isPunctuation(code: number): boolean {
  return code < 128 ? ASCII_PUNCTUATION[code] === 1 : /\p{P}/u.test(String.fromCharCode(code));
}
